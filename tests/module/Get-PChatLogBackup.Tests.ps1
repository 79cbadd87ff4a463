BeforeAll {
    Import-Module "$PSScriptRoot/Suite.psm1" -DisableNameChecking
    $lab = Start-TestLab primary-alive
    $folders = Get-FolderParameter $lab
    $folders.Remove('SqlInstance')
}

AfterAll { Stop-TestLab $lab }

Describe 'Get-PChatLogBackup' {
    It 'lists every log backup with LSNs, size and status, and changes nothing' {
        $before = Get-LabEffect $lab
        $all = @(Get-PChatLogBackup 'B\RTC' @folders)
        $all.Count | Should -BeGreaterThan 4
        @($all | Where-Object Status -EQ 'not_copied').Count | Should -Be 2
        @($all | Where-Object Status -EQ 'needed').Count | Should -Be 1
        $all[0].FirstLsn | Should -BeOfType ([decimal])
        $all | ForEach-Object { $_.LastLsn | Should -BeGreaterThan $_.FirstLsn }
        $all[-1].FinishedAtUtc.Kind | Should -Be 'Utc'
        Get-LabEffect $lab | Should -Be $before
    }

    It 'takes folders from the log shipping record that is piped in' {
        $few = $lab.Connection
        $piped = Get-PChatLogShipping 'B\RTC' @few | Get-PChatLogBackup @few -PathMap $lab.PathMap -JournalPath $lab.JournalPath
        @($piped).Count | Should -BeGreaterThan 4
    }

    It 'says in a verbose line what the chain is worth' {
        $lines = Get-PChatLogBackup 'B\RTC' @folders -Verbose 4>&1 | Where-Object { $_ -is [System.Management.Automation.VerboseRecord] }
        "$lines" | Should -Not -BeNullOrEmpty
    }

    It 'leaves nothing running behind Select-Object -First 1' {
        $one = Get-PChatLogBackup 'B\RTC' @folders | Select-Object -First 1
        $one.Name | Should -Not -BeNullOrEmpty
        $until = (Get-Date).AddSeconds(5)
        do {
            $own = @((Send-Lab $lab 'state').instances.'B\RTC'.sessions | Where-Object program -Match 'PChat|PersistentChatFailover')
            if ($own.Count) { Start-Sleep -Milliseconds 100 }
        } while ($own.Count -and (Get-Date) -lt $until)
        $own.Count | Should -Be 0
        # The shell lives, and the next command works.
        $few = $lab.Connection
        (Get-PChatLogShipping 'B\RTC' @few).Database | Should -Be 'mgc'
    }

    It 'lets an error from further down the pipeline through' {
        { Get-PChatLogBackup 'B\RTC' @folders | ForEach-Object { throw 'from below' } } | Should -Throw 'from below'
    }
}

Describe 'Get-PChatLogBackup over a gap' {
    It 'warns, and names the missing range' {
        $gap = Start-TestLab gap-in-chain
        try {
            $parameters = Get-FolderParameter $gap
            $all = @(Get-PChatLogBackup @parameters -WarningVariable told -WarningAction SilentlyContinue)
            $all.Status | Should -Contain 'gap'
            "$told" | Should -Match '\d{15,}'
        } finally {
            Stop-TestLab $gap
        }
    }
}
