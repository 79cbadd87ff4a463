# What a support engineer sees: verbose and debug lines, the trace file, completion. None of it holds a secret.
BeforeAll {
    Import-Module "$PSScriptRoot/../Suite.psm1" -DisableNameChecking
    $lab = Start-TestLab small -StandIn
    $password = $lab.SqlCredential.GetNetworkCredential().Password
}

AfterAll {
    Remove-Module PChatLab.Lync -ErrorAction Ignore
    Stop-TestLab $lab
}

Describe 'The verbose stream' {
    It 'tells what is being done, and each native command with its outcome and time' {
        $parameters = Get-FailoverParameter $lab
        $lines = New-PChatFailoverPlan @parameters -Verbose 4>&1 | Where-Object { $_ -is [Management.Automation.VerboseRecord] } | ForEach-Object Message
        $text = $lines -join "`n"
        $text | Should -Match '(?m)^Get-Cs\w+: completed, \d+ ms$'
        $text | Should -Not -Match ([regex]::Escape($password))
    }
}

Describe 'The debug stream' {
    It 'holds the request and each statement with rows and time, and no password' {
        $parameters = Get-TargetParameter $lab
        $DebugPreference = 'Continue'
        $lines = Get-PChatLogShipping @parameters 5>&1 | Where-Object { $_ -is [Management.Automation.DebugRecord] } | ForEach-Object Message
        $text = $lines -join "`n"
        $text | Should -Match '(?m)^pchat_log_shipping_get \{.*"sql_instance"'
        $text | Should -Match '(?m)^B\\RTC#\d+: .*SELECT .* -> \d+ rows, \d+ ms$'
        $text | Should -Not -Match ([regex]::Escape($password))
    }
}

Describe 'The trace file' {
    It 'holds start, connections, statements, native commands and end of an operation, a line each, and no password' {
        $log = Join-Path ([IO.Path]::GetTempPath()) ('pchat-trace-' + [guid]::NewGuid().ToString('N') + '.log')
        try {
            $child = Invoke-Child -Lab $lab -StandIn -Environment @{ PCHAT_LOG = $log } '$p = Get-FailoverParameter $lab; $plan = New-PChatFailoverPlan @p; exit [int](-not $plan.CanRun)'
            $child.ExitCode | Should -Be 0 -Because $child.Output
            $lines = Get-Content -LiteralPath $log
            $lines | ForEach-Object { $_ | Should -Match '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \d+ [^:]+: ' }
            $text = $lines -join "`n"
            foreach ($wanted in ' begin: PersistentChatFailover', ' start: FailoverPlan', 'connecting \(', ' -> \d+ rows, \d+ ms', ' native: Get-Cs', ' end: ') {
                $text | Should -Match $wanted
            }
            $text | Should -Not -Match ([regex]::Escape($password))
        } finally {
            Remove-Item -LiteralPath $log -ErrorAction Ignore
        }
    }
}

Describe 'Completion' -Skip:(-not (Get-Command Register-ArgumentCompleter -ErrorAction Ignore)) {
    BeforeAll {
        function Complete {
            param([string] $Line)
            @((TabExpansion2 $Line $Line.Length).CompletionMatches.CompletionText)
        }
    }

    It 'knows the databases, and the instances and pools that were shown' {
        $parameters = Get-TargetParameter $lab
        Get-PChatLogShipping @parameters | Out-Null
        Complete 'Get-PChatLogShipping -Database m' | Should -Be @('mgc', 'mgccomp')
        Complete 'Get-PChatConnection -SqlInstance b' | Should -Contain 'B\RTC'
        Complete 'Test-PChatFailover -PoolFqdn pch' | Should -Contain 'pchat.contoso.com'
    }

    It 'knows the log backups that were listed' {
        $parameters = Get-FolderParameter $lab
        $parameters.Remove('JournalPath')
        $name = (Get-PChatLogBackup @parameters | Select-Object -First 1).Name
        Complete "Copy-PChatLogBackup -Name $($name.Substring(0, 5))" | Should -Contain $name
    }

    It 'knows the runs of the journal that stands on the line, in a shell that has seen none' {
        $parameters = (Get-FolderParameter $lab)
        Copy-PChatLogBackup @parameters -ErrorAction SilentlyContinue | Out-Null
        $run = (Get-PChatRun -JournalPath $lab.JournalPath | Select-Object -First 1).RunId
        $child = Invoke-Child "`$line = 'Resume-PChatRun -JournalPath ''$($lab.JournalPath)'' -RunId '; (TabExpansion2 `$line `$line.Length).CompletionMatches.CompletionText"
        $child.Output | Should -Match ([regex]::Escape($run))
    }

    It 'changes nothing and asks no instance' {
        $before = Get-LabEffect $lab
        Complete 'Invoke-PChatFailover -SqlInstance ' | Out-Null
        Get-LabEffect $lab | Should -Be $before
    }
}
