BeforeAll {
    Import-Module "$PSScriptRoot/Suite.psm1" -DisableNameChecking
    $lab = Start-OwnLab @{
        name = 'readers'; primary_site_lost = $true
        log_shipping = @{ mode = 'standby'; log_backups = 4; not_copied = 1; not_restored = 2 }
        readers = @{ count = 5; reconnect_milliseconds = 10 }
    }
    $target = Get-TargetParameter $lab
}

AfterAll { Stop-TestLab $lab }

Describe 'Get-PChatConnection' {
    It 'lists the sessions in the database' {
        $all = @(Get-PChatConnection @target)
        $all.Count | Should -BeGreaterOrEqual 3
        $all[0].SqlInstance | Should -Be 'B\RTC'
        $all[0].SessionId | Should -BeGreaterThan 50
        $all[0].IsUserSession | Should -BeTrue
    }
}

Describe 'A host that fails while it asks' {
    It 'counts as a no: no reader is ended, nothing is restored' {
        $before = Get-LabEffect $lab
        # The shell of a scheduled task cannot ask; its prompt throws.
        $child = Invoke-Child @'
$target = Get-TargetParameter $lab
$r = @(Restore-PChatLogBackup @target -JournalPath $lab.JournalPath | Where-Object { $_.PSObject.Properties['ExitCode'] })
exit $r[-1].ExitCode
'@ -Lab $lab
        $child.ExitCode | Should -Be 5 -Because $child.Output
        $child.Output | Should -Match 'counts as no'
        Get-LabEffect $lab | Should -Be $before
    }
}

Describe 'Stop-PChatConnection' {
    It 'says with -WhatIf whom it would end, and ends nobody' {
        $before = Get-LabEffect $lab
        $planned = @(Stop-PChatConnection @target -WhatIf)
        $planned.Count | Should -BeGreaterThan 0
        $planned[0].State | Should -Be 'planned'
        $planned[0].Statement | Should -Not -BeNullOrEmpty
        Get-LabEffect $lab | Should -Be $before
    }

    It 'acts once for many sessions from the pipeline, and keeps new ones out' {
        $common = $lab.Connection
        $r = Get-PChatConnection @target | Stop-PChatConnection @common -Force
        $result = @($r | Select-Result)
        $result.Count | Should -Be 1
        $result[0].ExitCode | Should -Be 0
        @(Get-PChatConnection @target | Where-Object IsUserSession).Count | Should -Be 0
    }
}
