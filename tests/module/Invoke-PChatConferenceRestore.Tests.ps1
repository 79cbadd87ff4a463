BeforeAll {
    Import-Module "$PSScriptRoot/Suite.psm1" -DisableNameChecking
    $lab = Start-TestLab conference-lost -StandIn
    $parameters = @{ DamagedPoolFqdn = 'pool1.contoso.com'; JournalPath = $lab.JournalPath; PathMap = $lab.PathMap; BackupServiceTimeoutSeconds = 60 }
    function Get-Meeting {
        param([string] $Pool)
        (Send-Lab $lab 'state').pool.conference_content | Where-Object pool_fqdn -EQ $Pool
    }
}

AfterAll {
    Remove-Module PChatLab.Lync -ErrorAction Ignore
    Stop-TestLab $lab
}

Describe 'Invoke-PChatConferenceRestore' {
    It 'supplies the -WhatIf that the native sync lacks, and changes nothing' {
        $before = Get-LabEffect $lab
        $plan = Invoke-PChatConferenceRestore @parameters -WhatIf
        $plan.GetType().Name | Should -Be 'Plan'
        $plan.CanRun | Should -BeTrue
        $plan.PoolFqdn | Should -Be 'pool2.contoso.com'
        $plan.Steps[0].NativeCommands | Should -Be "PChatLab.Lync\Invoke-CsBackupServiceSync -PoolFqdn 'pool2.contoso.com' -BackupModule 'ConfServices.DataConf'"
        ($plan | Out-String -Width 300) | Should -Match 'pool2.contoso.com'
        Get-LabEffect $lab | Should -Be $before
        $lab.JournalPath | Should -Not -Exist
    }

    It 'makes a plan that <Command> refuses in plain words, handed over or piped' -ForEach @(
        @{ Command = 'Invoke-PChatFailover' }, @{ Command = 'Invoke-PChatFailback' }
    ) {
        $plan = Invoke-PChatConferenceRestore @parameters -WhatIf
        foreach ($r in @(
                (& $Command -Plan $plan -Force -ErrorVariable +failed -ErrorAction SilentlyContinue)
                ($plan | & $Command -Force -ErrorVariable +failed -ErrorAction SilentlyContinue)
            )) {
            ($r | Select-Result).ExitCode | Should -Be 2
        }
        @($failed.Exception.Message -match 'Hand it to Invoke-PChatConferenceRestore').Count | Should -Be 2 -Because ($failed | Out-String)
    }

    It 'takes its own plan from the pipeline, and shows it once more' {
        $before = Get-LabEffect $lab
        $plan = Invoke-PChatConferenceRestore @parameters -WhatIf
        ($plan | Invoke-PChatConferenceRestore -WhatIf).PlanId | Should -Be $plan.PlanId
        Get-LabEffect $lab | Should -Be $before
    }

    It 'supplies the -Confirm, and an unanswered one changes nothing' {
        $before = Get-LabEffect $lab
        $child = Invoke-Child -Lab $lab -StandIn -Script @'
$r = Invoke-PChatConferenceRestore pool1.contoso.com -JournalPath $lab.JournalPath -Confirm 2>$null
exit ($r | Select-Result).ExitCode
'@
        $child.ExitCode | Should -Be 5 -Because $child.Output
        Get-LabEffect $lab | Should -Be $before
    }

    It 'restores, and its output pipes into Wait-PChatBackupService' {
        $output = @(Invoke-PChatConferenceRestore @parameters -AfterPoolFailback)
        $script:result = $output | Select-Result
        $result.ExitCode | Should -Be 0 -Because $result.Text
        $result.PoolFqdn | Should -Be 'pool2.contoso.com'
        $result.DamagedPoolFqdn | Should -Be 'pool1.contoso.com'
        (Get-Meeting pool1.contoso.com).present | Should -Be 250
        @($output | Where-Object { $_.GetType().Name -eq 'BackupServiceModule' }).Count | Should -Be 2
        $modules = @($output | Wait-PChatBackupService -BackupServiceTimeoutSeconds 60)
        $modules.Count | Should -Be 2
        $modules.IsDone | Should -Not -Contain $false
    }

    It 'shows its pools where other runs have an instance' {
        $text = $result | Format-List | Out-String -Width 200
        $text | Should -Match 'DamagedPoolFqdn\s*: pool1.contoso.com'
        $text | Should -Not -Match '(?m)^(SqlInstance|Database)\s*:'
        ($result.Steps | Format-Table | Out-String -Width 200) | Should -Match 'pool2.contoso'
    }

    It 'is listed as a run, and its pools are shown' {
        $run = Get-PChatRun -JournalPath $lab.JournalPath | Select-Object -First 1
        $run.Kind | Should -Be 'conference_restore'
        $run.Outcome | Should -Be 'done'
        $run.PoolFqdn | Should -Be 'pool2.contoso.com'
    }

    It 'refuses the damaged pool as the source' {
        $r = Invoke-PChatConferenceRestore @parameters -PoolFqdn POOL1.contoso.com -ErrorVariable failed -ErrorAction SilentlyContinue
        ($r | Select-Result).ExitCode | Should -Be 3
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'DamagedPoolAsSource*'
    }

    It 'takes all modules, and the survivor from the pipeline' {
        $pair = New-Object psobject -Property @{ PoolFqdn = 'pool2.contoso.com'; DamagedPoolFqdn = 'pool1.contoso.com' }
        $more = @{ JournalPath = $lab.JournalPath; PathMap = $lab.PathMap; BackupServiceTimeoutSeconds = 60 }
        $output = @($pair | Invoke-PChatConferenceRestore -BackupModule All -AfterPoolFailback @more)
        ($output | Select-Result).ExitCode | Should -Be 0
        @($output | Where-Object { $_.GetType().Name -eq 'BackupServiceModule' }).BackupModule | Should -Contain 'CentralMgmt.CMSMaster'
    }
}

Describe 'Invoke-PChatDrill -ConferenceRestore' {
    It 'is done only when the content is there: <Scenario>' -ForEach @(
        @{ Scenario = 'conference-stale'; ExitCode = 0; Restored = 250 }
        @{ Scenario = 'conference-error'; ExitCode = 4; Restored = 0 }
    ) {
        $drill = Invoke-PChatDrill $Scenario -ConferenceRestore -ErrorAction SilentlyContinue
        $drill.ExitCode | Should -Be $ExitCode -Because $drill.Text
        $drill.PoolFqdn | Should -Be 'pool2.contoso.com'
        $drill.DamagedPoolFqdn | Should -Be 'pool1.contoso.com'
        $drill.SqlInstance | Should -BeNullOrEmpty
        $drill.Meetings | Should -Be 250
        $drill.MeetingsRestored | Should -Be $Restored
    }
}
