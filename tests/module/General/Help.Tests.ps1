BeforeDiscovery {
    Import-Module "$PSScriptRoot/../Suite.psm1" -DisableNameChecking
    Import-Product
    $commands = Get-Command -Module PersistentChatFailover | ForEach-Object { @{ Name = $_.Name } }
}

Describe 'Help of <Name>' -ForEach $commands {
    BeforeAll {
        $help = Get-Help $Name -Full
        $command = Get-Command $Name
    }

    It 'has a synopsis and a description' {
        $help.Synopsis | Should -Not -BeNullOrEmpty
        $help.Synopsis.Trim() | Should -Not -BeLike "$Name*"
        ($help.description | Out-String).Trim() | Should -Not -BeNullOrEmpty
    }

    It 'has an example' {
        @($help.examples.example | Where-Object { $_ }).Count | Should -BeGreaterThan 0
        ($help.examples | Out-String -Width 4096) | Should -Match $Name
    }

    It 'explains every parameter, and no other' {
        $common = [System.Management.Automation.PSCmdlet]::CommonParameters + [System.Management.Automation.PSCmdlet]::OptionalCommonParameters
        $own = $command.Parameters.Keys | Where-Object { $_ -notin $common -or $_ -in 'WhatIf', 'Confirm' }
        $told = @($help.parameters.parameter | ForEach-Object name)
        foreach ($name in $own) {
            $told | Should -Contain $name
            $text = ($help.parameters.parameter | Where-Object name -EQ $name).description | Out-String
            $text.Trim() | Should -Not -BeNullOrEmpty -Because $name
        }
        $told | ForEach-Object { $own | Should -Contain $_ }
    }
}

Describe 'The about topic' {
    It 'is found' {
        Get-Help about_PersistentChatFailover | Out-String | Should -Match 'Persistent Chat'
    }
}
