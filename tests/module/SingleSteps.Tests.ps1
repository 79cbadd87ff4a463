
BeforeAll {
    Import-Module "$PSScriptRoot/Suite.psm1" -DisableNameChecking
}

Describe 'Step by step: copy, restore, recover' {
    BeforeAll {
        $lab = Start-TestLab small
        $folders = Get-FolderParameter $lab
        $common = $folders.Clone()
        foreach ($name in 'SqlInstance', 'PoolFqdn') { $common.Remove($name) }
    }

    AfterAll { Stop-TestLab $lab }

    It 'Copy-PChatLogBackup -WhatIf names each file and touches nothing' {
        $before = Get-LabEffect $lab
        $files = Get-ChildItem -Recurse -File @($lab.PathMap.Values) | ForEach-Object FullName
        $planned = @(Copy-PChatLogBackup @folders -WhatIf)
        $planned.Count | Should -Be 1
        $planned[0].State | Should -Be 'planned'
        $planned[0].Statement | Should -Match '\.trn'
        Get-LabEffect $lab | Should -Be $before
        (Get-ChildItem -Recurse -File @($lab.PathMap.Values) | ForEach-Object FullName) -join "`n" | Should -Be ($files -join "`n")
        $lab.JournalPath | Should -Not -Exist
    }

    It 'a global $WhatIfPreference counts as well' {
        $before = Get-LabEffect $lab
        $old = $global:WhatIfPreference
        try {
            $global:WhatIfPreference = $true
            @(Copy-PChatLogBackup @folders).State | Should -Be 'planned'
        } finally {
            $global:WhatIfPreference = $old
        }
        Get-LabEffect $lab | Should -Be $before
    }

    It 'Get-PChatLogShipping | Copy-PChatLogBackup copies' {
        $target = Get-TargetParameter $lab
        $r = @(Get-PChatLogShipping @target | Copy-PChatLogBackup @common)
        @($r | Where-Object Action -EQ 'copy').Count | Should -Be 1
        ($r | Select-Result).ExitCode | Should -Be 0
        ($r | Select-Result).Outcome | Should -Be 'done'
        # No half-written file under any name.
        Get-ChildItem -Recurse -File $lab.PathMap['E:\LSCopy'] | Where-Object Extension -NotIn '.trn', '.journal', '.lock' | Should -BeNullOrEmpty
    }

    It 'a second time there is nothing to do, and that is no error' {
        $r = Copy-PChatLogBackup @folders -ErrorVariable failed
        ($r | Select-Result).ExitCode | Should -Be 7
        $failed | Should -BeNullOrEmpty
    }

    It 'Get-PChatLogBackup | Restore-PChatLogBackup restores, asking once for all' {
        $r = @(Get-PChatLogBackup @folders | Restore-PChatLogBackup @common)
        $result = @($r | Select-Result)
        $result.Count | Should -Be 1
        $result[0].ExitCode | Should -Be 0
        @($r | Where-Object Action -EQ 'restore').Count | Should -Be 2
    }

    It 'Restore-PChatDatabase is declined where nobody can answer, and nothing is changed' {
        $before = (Send-Lab $lab 'truth').destructive | ConvertTo-Json
        $script = '$p = Get-FolderParameter $lab; $r = Restore-PChatDatabase @p; exit ($r | Select-Result).ExitCode'
        $child = Invoke-Child $script -Lab $lab
        $child.ExitCode | Should -Be 5
        $child.Output | Should -Match 'PCHAT1008'
        (Send-Lab $lab 'truth').destructive | ConvertTo-Json | Should -Be $before
    }

    It 'Restore-PChatDatabase recovers with -Force' {
        $r = Restore-PChatDatabase @folders -Force
        ($r | Select-Result).ExitCode | Should -Be 0
        (Send-Lab $lab 'truth').copies.'B\RTC'.state | Should -Be 'ONLINE'
    }

    It 'the admin goes on by hand: Set-CsPersistentChatState' {
        Import-StandIn $lab
        Set-CsPersistentChatState -Identity 'service:PersistentChatServer:pchat.contoso.com' -PoolState FailedOver -Confirm:$false -ErrorAction Continue
        (Get-CsPersistentChatState).PoolState | Should -Be 'FailedOver'
    }
}

Describe 'In the order of the page: log shipping removed first' {
    BeforeAll {
        $lab = Start-TestLab small
        $folders = Get-FolderParameter $lab
        $target = Get-TargetParameter $lab
    }

    AfterAll { Stop-TestLab $lab }

    It 'Remove-PChatLogShipping -WhatIf shows the statement and touches nothing' {
        $before = Get-LabEffect $lab
        $planned = @(Remove-PChatLogShipping @target -JournalPath $lab.JournalPath -NoJournalCopy -WhatIf)
        "$($planned.Statement)" | Should -Match 'sp_delete_log_shipping_secondary_database'
        Get-LabEffect $lab | Should -Be $before
    }

    It 'Remove-PChatLogShipping captures and removes' {
        $r = Remove-PChatLogShipping @target -JournalPath $lab.JournalPath -NoJournalCopy -Force
        ($r | Select-Result).ExitCode | Should -Be 0
        @((Send-Lab $lab 'state').instances.'B\RTC'.log_shipping.secondary).Count | Should -Be 0
    }

    It 'the capture in the journal serves the commands that follow' {
        $r = Copy-PChatLogBackup @folders -Force
        ($r | Select-Result).ExitCode | Should -Be 0
        $r = Restore-PChatLogBackup @folders -Force
        ($r | Select-Result).ExitCode | Should -Be 0
        $r = Restore-PChatDatabase @folders -Force
        ($r | Select-Result).ExitCode | Should -Be 0
        (Send-Lab $lab 'truth').lost_on_backup.count | Should -BeLessThan 20
    }
}

Describe 'The gate holds on single steps' {
    It 'Restore-PChatDatabase refuses over a gap, and names it' {
        $lab = Start-TestLab gap-in-chain
        try {
            $folders = Get-FolderParameter $lab
            $before = (Send-Lab $lab 'truth').destructive | ConvertTo-Json
            $r = Restore-PChatDatabase @folders -Force -ErrorVariable failed -ErrorAction SilentlyContinue
            ($r | Select-Result).ExitCode | Should -Be 3
            ($r | Select-Result).Outcome | Should -Be 'refused'
            $failed[0].Exception.Code | Should -BeIn 4002, 5006
            $failed[0].Exception.ExitCode | Should -Be 3
            (Send-Lab $lab 'truth').destructive | ConvertTo-Json | Should -Be $before
        } finally {
            Stop-TestLab $lab
        }
    }
}
