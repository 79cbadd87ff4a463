BeforeDiscovery {
    Import-Module "$PSScriptRoot/../Suite.psm1" -DisableNameChecking
    Import-Product
    $commands = Get-Command -Module PersistentChatFailover | ForEach-Object { @{ Command = $_; Name = $_.Name } }
    $impacts = @(
        @{ Name = 'Invoke-PChatFailover'; Impact = 'High' }
        @{ Name = 'Invoke-PChatFailback'; Impact = 'High' }
        @{ Name = 'Resume-PChatRun'; Impact = 'High' }
        @{ Name = 'Undo-PChatRun'; Impact = 'High' }
        @{ Name = 'Restore-PChatDatabase'; Impact = 'High' }
        @{ Name = 'New-PChatLogShipping'; Impact = 'High' }
        @{ Name = 'Remove-PChatLogShipping'; Impact = 'High' }
        @{ Name = 'Stop-PChatConnection'; Impact = 'High' }
        @{ Name = 'Copy-PChatLogBackup'; Impact = 'Medium' }
        @{ Name = 'Restore-PChatLogBackup'; Impact = 'Medium' }
        @{ Name = 'Start-PChatLab'; Impact = 'Low' }
        @{ Name = 'Stop-PChatLab'; Impact = 'Low' }
        @{ Name = 'Invoke-PChatDrill'; Impact = 'Low' }
    )
}

Describe '<Name>' -ForEach $commands {
    It 'has an approved verb and the noun prefix' {
        (Get-Verb).Verb | Should -Contain $Command.Verb
        $Command.Noun | Should -BeLike 'PChat*'
        $Command.Noun | Should -Not -BeLike '*s'
    }

    It 'names its output types, each a class of ours' {
        if ($Name -ne 'Stop-PChatLab') {
            $Command.OutputType | Should -Not -BeNullOrEmpty
            $Command.OutputType.Type | ForEach-Object { $_.Namespace | Should -Be 'PersistentChatFailover.Documents' }
        }
    }

    It 'supports -WhatIf and -Confirm where it changes something, and only there' {
        $changes = $Command.Verb -notin 'Get', 'Test', 'Wait' -and $Name -notlike 'New-PChat*Plan'
        $Command.Parameters.ContainsKey('WhatIf') | Should -Be $changes
        $Command.Parameters.ContainsKey('Confirm') | Should -Be $changes
    }

    It 'takes instance, database and pool by property name' {
        if ($Command.Parameters.ContainsKey('SqlInstance')) {
            foreach ($parameter in 'SqlInstance', 'Database', 'PoolFqdn') {
                $Command.Parameters[$parameter].Attributes.Where({ $_ -is [Parameter] }).ValueFromPipelineByPropertyName | Should -Contain $true
            }
        }
    }

    It 'takes a password only as a credential' {
        $Command.Parameters.Keys | Should -Not -Contain 'Password'
        $Command.Parameters.Values | Where-Object Name -Like '*Credential' | Where-Object Name -NE 'InstanceCredential' |
            ForEach-Object { $_.ParameterType | Should -Be ([pscredential]) }
    }
}

Describe 'ConfirmImpact of <Name>' -ForEach $impacts {
    It 'is <Impact>' {
        $attribute = (Get-Command $Name).ImplementingType.GetCustomAttributes([System.Management.Automation.CmdletAttribute], $false)[0]
        $attribute.ConfirmImpact | Should -Be $Impact
    }
}

Describe 'The page of what asks before it acts' {
    It 'has every command that changes something, with its impact and whether it takes -Force' {
        $page = Get-Content -Raw (Join-Path (Get-ProjectRoot) 'docs/confirmation.md')
        $told = [regex]::Matches($page, '(?m)^\| `([\w-]+)` \| (\w+) \| (yes|no) \| ') | ForEach-Object { $_.Groups[1, 2, 3].Value -join ' ' }
        $are = foreach ($command in Get-Command -Module PersistentChatFailover) {
            $attribute = $command.ImplementingType.GetCustomAttributes([System.Management.Automation.CmdletAttribute], $false)[0]
            if ($attribute.SupportsShouldProcess) {
                $force = if ($command.Parameters.ContainsKey('Force')) { 'yes' } else { 'no' }
                "$($command.Name) $($attribute.ConfirmImpact) $force"
            }
        }
        $told | Should -Be @($are | Sort-Object)
    }
}

Describe 'Output types' {
    BeforeDiscovery {
        $types = (Get-Command -Module PersistentChatFailover).OutputType.Type | Sort-Object FullName -Unique | ForEach-Object { @{ Type = $_ } }
    }

    It '<Type> carries instance, database and pool, instance first, and no credential' -ForEach $types {
        if ($Type.Name -eq 'InstallationCheck') { return }
        $names = $Type.GetProperties().Name
        if ($Type.Name -eq 'BackupServiceModule') {
            # The backup service is about pools alone.
            $names[0] | Should -Be 'PoolFqdn'
            return
        }
        foreach ($wanted in 'SqlInstance', 'Database', 'PoolFqdn') {
            $names | Should -Contain $wanted
        }
        if ($Type.Name -notin 'Plan', 'PChatLab', 'RunSummary') {
            $names[0] | Should -Be 'SqlInstance'
            $Type.GetProperties().PropertyType | Should -Not -Contain ([pscredential])
        }
    }
}
