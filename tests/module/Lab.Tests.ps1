# Start-PChatLab, Stop-PChatLab and Invoke-PChatDrill.
BeforeAll {
    Import-Module "$PSScriptRoot/Suite.psm1" -DisableNameChecking
    Import-Product
}

Describe 'Start-PChatLab and Stop-PChatLab' {
    It 'give a lab with all that the commands need, and end it' {
        $lab = Start-PChatLab healthy
        try {
            $lab.SqlInstance | Should -Be 'B\RTC'
            $lab.PrimarySqlInstance | Should -Be 'P\RTC'
            $lab.AddressMap['B'] | Should -BeLike '127.*'
            $lab.PathMap['E:\LSCopy'] | Should -Exist
            $lab.SqlCredential | Should -BeOfType ([pscredential])
            $lab.StandInModule | Should -Exist
            $lab.Scenario | Should -Be 'healthy'
            $connection = $lab.Connection
            (Get-PChatLogShipping $lab.SqlInstance @connection).Database | Should -Be 'mgc'
            ($lab | Format-List -Force | Out-String) | Should -Not -Match $lab.SqlCredential.GetNetworkCredential().Password
        } finally {
            $lab | Stop-PChatLab
        }
        Get-Process -Id $lab.ProcessId -ErrorAction Ignore | Should -BeNullOrEmpty
        $lab.PathMap['E:\LSCopy'] | Should -Not -Exist
        # Twice is no error.
        $lab | Stop-PChatLab -ErrorAction Stop
    }

    It 'run side by side' {
        $one = Start-PChatLab small
        $two = Start-PChatLab small
        try {
            $one.AddressMap['B'] | Should -Not -Be $two.AddressMap['B']
            foreach ($lab in $one, $two) {
                $connection = $lab.Connection
                (Get-PChatLogShipping 'B\RTC' @connection).Database | Should -Be 'mgc'
            }
        } finally {
            $one, $two | Stop-PChatLab
        }
    }

    It 'start nothing with -WhatIf' {
        Start-PChatLab small -WhatIf | Should -BeNullOrEmpty
    }

    It 'say what is wrong with a scenario' {
        Start-PChatLab no-such-scenario -ErrorVariable failed -ErrorAction SilentlyContinue
        $failed[0].Exception.Message | Should -Match 'no-such-scenario'
    }

    It 'the lab ends with its shell, whatever ends it' {
        $child = Start-Child '$lab = Start-PChatLab small; Set-Content -LiteralPath "$env:PCHAT_PID_FILE" $lab.ProcessId; Start-Sleep 60' -Environment @{
            PCHAT_PID_FILE = (Join-Path ([IO.Path]::GetTempPath()) "pchat-pid-$PID")
        }
        $file = Join-Path ([IO.Path]::GetTempPath()) "pchat-pid-$PID"
        $until = (Get-Date).AddSeconds(30)
        while (-not (Test-Path $file) -and (Get-Date) -lt $until) { Start-Sleep -Milliseconds 100 }
        Start-Sleep -Milliseconds 200
        $id = [int] (Get-Content $file)
        Remove-Item $file
        Get-Process -Id $id | Should -Not -BeNullOrEmpty
        $child.Process.Kill()
        $child.Process.WaitForExit()
        Remove-Item -LiteralPath $child.File
        $until = (Get-Date).AddSeconds(10)
        while ((Get-Process -Id $id -ErrorAction Ignore) -and (Get-Date) -lt $until) { Start-Sleep -Milliseconds 100 }
        Get-Process -Id $id -ErrorAction Ignore | Should -BeNullOrEmpty
    }
}

Describe 'Invoke-PChatDrill' {
    BeforeAll {
        # A command of the same name in the user's session, as on a real Lync server: the drill never sees it.
        function global:Set-CsPersistentChatState { $global:RealWasTouched = $true }
        $global:RealWasTouched = $false
        $drill = Invoke-PChatDrill small
    }

    AfterAll {
        Remove-Item function:Set-CsPersistentChatState
        Remove-Variable RealWasTouched -Scope Global
    }

    It 'fails over and compares with the lab''s truth' {
        $drill.Outcome | Should -Be 'done' -Because "$($drill.Error)"
        $drill.ExitCode | Should -Be 0
        $drill.MessagesWritten | Should -BeGreaterThan 100
        $drill.MessagesKept + $drill.MessagesLost | Should -Be $drill.MessagesWritten
        $drill.MessagesLost | Should -Be 7
        $drill.UsersServed | Should -BeTrue
        $drill.UnknownStatements | Should -BeNullOrEmpty
        $drill.Steps.Count | Should -BeGreaterThan 8
        $drill.NextActions.Count | Should -BeGreaterThan 0
        $drill.ReportedLoss.Text | Should -Not -BeNullOrEmpty
    }

    It 'touched no command of the session, and left no lab' {
        $global:RealWasTouched | Should -BeFalse
        $drill.Lab | Should -BeNullOrEmpty
    }

    It 'prints its steps with their times' {
        $text = $drill | Out-String -Width 200
        $text | Should -Match '1\. '
        $text | Should -Match 'written, \d+ kept, 7 lost'
    }
}

Describe 'Invoke-PChatDrill, there and back' {
    It 'comes home <How> with the configuration of the baseline and every message but those lost on the way there' -TestCases @(
        @{ How = 'after a disaster'; Switch = 'RoundTrip'; Loses = $true }
        @{ How = 'as planned'; Switch = 'Planned'; Loses = $false }
    ) {
        $kind = @{ $Switch = $true }
        $drill = Invoke-PChatDrill @kind
        $drill.Outcome | Should -Be 'done' -Because "$($drill.Error)"
        $drill.Scenario | Should -Be 'healthy'
        $drill.Drift | Should -BeNullOrEmpty
        $drill.MessagesKept + $drill.MessagesLost | Should -Be $drill.MessagesWritten
        ($drill.MessagesLost -gt 0) | Should -Be $Loses
        $drill.UsersServed | Should -BeTrue
        $drill.UnknownStatements | Should -BeNullOrEmpty
        # The steps of both ways.
        @($drill.Steps | Where-Object { $_.Name -eq 'recover' }).Count | Should -Be 2
    }

    It 'takes one kind of drill at a time' {
        { Invoke-PChatDrill -RoundTrip -Planned -ErrorAction Stop } | Should -Throw '*drills of their own*'
    }
}
