BeforeAll {
    Import-Module "$PSScriptRoot/Suite.psm1" -DisableNameChecking
}

Describe 'Backups and mirrors' {
    BeforeAll {
        $lab = Start-TestLab healthy
        $target = Get-TargetParameter $lab
        $target.SqlInstance = 'P\RTC'
        $journal = @{ JournalPath = $lab.JournalPath }
    }

    AfterAll { Stop-TestLab $lab }

    It 'Backup-PChatDatabase -WhatIf shows the statements and takes nothing' {
        $before = (Send-Lab $lab 'truth').destructive | ConvertTo-Json
        $planned = @(Backup-PChatDatabase @target @journal -WhatIf)
        $planned.Action | Should -Be @('backup', 'verify_backup')
        $planned[0].Statement | Should -Match '^BACKUP DATABASE \[mgc\] TO DISK = .*COPY_ONLY, CHECKSUM$'
        (Send-Lab $lab 'truth').destructive | ConvertTo-Json | Should -Be $before
    }

    It 'takes a verified full backup and says where it is' {
        $r = @(Backup-PChatDatabase @target @journal -Force)
        $r[0].GetType().Name | Should -Be 'DatabaseBackup'
        $r[0].IsVerified | Should -BeTrue
        $r[0].BackupFile | Should -Match '\.bak$'
        ($r | Select-Result).ExitCode | Should -Be 0
    }

    It 'a log backup goes to the share under the names of log shipping' {
        $r = @(Backup-PChatDatabase @target @journal -Type Log -Force)
        $r[0].BackupFile | Should -Match '^\\\\fs1\\LogShip\\mgc_\d{14}\.trn$'
        $r[0].IsCopyOnly | Should -BeFalse
    }

    It 'a mirrored database gives no tail' {
        $r = Backup-PChatDatabase @target @journal -Type Tail -Force -ErrorVariable failed -ErrorAction SilentlyContinue
        ($r | Select-Result).ExitCode | Should -Be 3
        $failed[0].FullyQualifiedErrorId | Should -Match 'DatabaseStateUnsuited'
    }

    It 'Get-PChatMirror shows both partners' {
        $common = $target.Clone()
        $common.Remove('SqlInstance')
        $both = @(Get-PChatMirror 'P\RTC', 'PM\RTC' @common)
        $both.Role | Should -Be @('principal', 'mirror')
        $both[0].PartnerSqlInstance | Should -Be 'PM\RTC'
    }

    It 'Remove-PChatMirror leaves an orphan and says what to do with it' {
        $r = @(Remove-PChatMirror @target @journal -Force)
        ($r | Select-Result).ExitCode | Should -Be 0
        ($r | Select-Result).NextActions -join ' ' | Should -Match 'DropExistingDatabasesOnMirror'
        $common = $target.Clone()
        $common.SqlInstance = 'PM\RTC'
        (Get-PChatMirror @common).IsOrphan | Should -BeTrue
    }

    It 'Disable-PChatPrimary does not fence the side that serves' {
        $r = Disable-PChatPrimary @target @journal -BackupSqlInstance 'B\RTC' -TakeOffline -Force -ErrorVariable failed -ErrorAction SilentlyContinue
        ($r | Select-Result).ExitCode | Should -Be 3
        $failed[0].FullyQualifiedErrorId | Should -Match 'PrimaryAlive'
    }
}

Describe 'An old primary' {
    BeforeAll {
        $lab = Start-TestLab primary-returns -StandIn
        $failover = Get-FailoverParameter $lab
        Invoke-PChatFailover @failover -Force | Out-Null
        $target = Get-TargetParameter $lab
        $target.SqlInstance = 'P\RTC'
        $fence = @{
            PrimaryMirrorSqlInstance = 'PM\RTC'; BackupSqlInstance = 'B\RTC'; JournalPath = $lab.JournalPath
            DisableJob = $true; RemoveMirror = $true; TakeOffline = $true
        }
    }

    AfterAll { Stop-TestLab $lab }

    It 'that is away is fenced by a script' {
        $planned = @(Disable-PChatPrimary @target @fence -WhatIf)
        $planned.Action | Should -Be @('run_by_hand', 'run_by_hand')
        $planned[0].Statement | Should -Match 'SET PARTNER OFF'
        $r = Disable-PChatPrimary @target @fence -Force -ErrorAction SilentlyContinue
        ($r | Select-Result).ExitCode | Should -Be 4
    }

    It 'that is back is fenced' {
        [void] (Send-Lab $lab 'primary_site_back')
        $r = Disable-PChatPrimary @target @fence -Force
        ($r | Select-Result).ExitCode | Should -Be 0
        (Send-Lab $lab 'truth').copies.'P\RTC'.state | Should -Be 'OFFLINE'
    }
}
