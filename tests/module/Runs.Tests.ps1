# Get-PChatRun, Resume-PChatRun and Undo-PChatRun, on runs whose process was cut off.
BeforeAll {
    Import-Module "$PSScriptRoot/Suite.psm1" -DisableNameChecking

    # A failover in a child whose process ends at a named place, as in a power cut.
    function Stop-RunAt {
        param($Lab, [string] $Place)
        # The library reads the environment that the process began with.
        Invoke-Child '$p = Get-FailoverParameter $lab; Invoke-PChatFailover @p -Force' -Lab $Lab -StandIn -Environment @{ PCHAT_CRASH_AT = $Place }
    }
}

AfterAll { Remove-Module PChatLab.Lync -ErrorAction Ignore }

Describe 'A run cut off after log shipping was removed' {
    BeforeAll {
        $lab = Start-TestLab small -StandIn
        $run = Get-RunParameter $lab
        $cut = Stop-RunAt $lab 'log_shipping.removed'
        $restored = @((Send-Lab $lab 'effects') | Where-Object { $_.kind -eq 'log_restored' -and $_.instance -eq 'B\RTC' }).Count
        $removed = @((Send-Lab $lab 'effects') | Where-Object { $_.kind -eq 'log_shipping' -and $_.instance -eq 'B\RTC' }).Count
    }

    AfterAll { Stop-TestLab $lab }

    It 'is open, and Get-PChatRun warns' {
        $cut.ExitCode | Should -Not -Be 0
        $open = Get-PChatRun -JournalPath $lab.JournalPath -Open -WarningVariable told -WarningAction SilentlyContinue
        $open.IsOpen | Should -BeTrue
        $open.CanUndo | Should -BeFalse
        "$told" | Should -Match 'Resume-PChatRun'
    }

    It 'cannot be given up: Undo-PChatRun refuses and says what remains' {
        $r = Undo-PChatRun @run -Force -ErrorVariable failed -ErrorAction SilentlyContinue
        ($r | Select-Result).ExitCode | Should -Be 3
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'UndoNotPossible,*'
    }

    It 'Resume-PChatRun -WhatIf shows what remains and changes nothing' {
        $before = Get-LabEffect $lab
        $planned = @(Resume-PChatRun @run -WhatIf)
        $planned.Count | Should -BeGreaterThan 0
        Get-LabEffect $lab | Should -Be $before
    }

    It 'is finished from the pipeline in a new process, nothing destructive done twice' {
        $script = '$run = Get-RunParameter $lab; $run.Remove("JournalPath"); $r = Get-PChatRun -JournalPath $lab.JournalPath -Open | Resume-PChatRun @run -Force; exit ($r | Select-Result).ExitCode'
        $child = Invoke-Child $script -Lab $lab -StandIn
        $child.ExitCode | Should -Be 0 -Because ($child.Output -replace "\s+", " ")
        $truth = Send-Lab $lab 'truth'
        $truth.copies.'B\RTC'.state | Should -Be 'ONLINE'
        $truth.users.in | Should -BeTrue
        $effects = Send-Lab $lab 'effects'
        @($effects | Where-Object { $_.kind -eq 'log_restored' -and $_.instance -eq 'B\RTC' }).Count | Should -Be $restored
        @($effects | Where-Object { $_.kind -eq 'log_shipping' -and $_.instance -eq 'B\RTC' }).Count | Should -Be $removed
        $restored | Should -Be 2
        $removed | Should -BeGreaterThan 0
    }
}

Describe 'A run cut off before log shipping was removed' {
    It 'is given up: Undo-PChatRun puts the jobs back' {
        $lab = Start-TestLab small -StandIn
        try {
            $run = Get-RunParameter $lab
            Stop-RunAt $lab 'jobs_disabled' | Out-Null
            $r = Undo-PChatRun @run -Force
            ($r | Select-Result).ExitCode | Should -Be 0
            $jobs = (Send-Lab $lab 'state').instances.'B\RTC'.jobs | Where-Object name -Match '^LS(Copy|Restore)'
            @($jobs).Count | Should -Be 2
            $jobs.enabled | Should -Not -Contain $false
            Get-PChatRun -JournalPath $lab.JournalPath -Open | Should -BeNullOrEmpty
        } finally {
            Stop-TestLab $lab
        }
    }

    It 'is finished from the second copy of the journal' {
        $lab = Start-TestLab small -StandIn
        try {
            Stop-RunAt $lab 'restore.done' | Out-Null
            Remove-Item -Recurse -Force $lab.JournalPath
            $run = Get-RunParameter $lab
            $run.JournalPath = $lab.PathMap['E:\LSCopy']
            $r = Resume-PChatRun @run -NoJournalCopy -Force
            ($r | Select-Result).ExitCode | Should -Be 0
            (Send-Lab $lab 'truth').users.in | Should -BeTrue
        } finally {
            Stop-TestLab $lab
        }
    }
}

Describe 'Resume-PChatRun where there is nothing' {
    It 'says so as bad input' {
        Import-Product
        $folder = Join-Path ([IO.Path]::GetTempPath()) "pchat-no-journal-$PID"
        $r = Resume-PChatRun -JournalPath $folder -Force -ErrorVariable failed -ErrorAction SilentlyContinue
        $r.ExitCode | Should -BeIn 2, 7
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'RunNotFound,*'
    }
}
