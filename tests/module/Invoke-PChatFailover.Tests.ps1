BeforeAll {
    Import-Module "$PSScriptRoot/Suite.psm1" -DisableNameChecking
}

AfterAll { Remove-Module PChatLab.Lync -ErrorAction Ignore }

Describe 'Binding of Invoke-PChatFailover' {
    It 'has six sets, each with one way to say what runs' {
        Import-Product
        $wanted = @{
            Target = 'SqlInstance'; Planned = 'Planned SqlInstance'; SalvageTail = 'SalvageTail SqlInstance'
            Plan = 'Plan'; PlanPath = 'PlanPath'; Service = 'Service'
        }
        $sets = (Get-Command Invoke-PChatFailover).ParameterSets
        ($sets.Name | Sort-Object) -join ' ' | Should -Be (($wanted.Keys | Sort-Object) -join ' ')
        foreach ($set in $sets) {
            $must = @($set.Parameters | Where-Object IsMandatory | ForEach-Object Name | Sort-Object)
            $must -join ' ' | Should -Be $wanted[$set.Name]
        }
    }
}

Describe 'Invoke-PChatFailover before anything is changed' {
    BeforeAll {
        $lab = Start-TestLab small -StandIn
        $parameters = Get-FailoverParameter $lab
    }

    AfterAll { Stop-TestLab $lab }

    It '-WhatIf gives the plan and touches nothing' {
        $before = Get-LabEffect $lab
        $plan = Invoke-PChatFailover @parameters -WhatIf
        $plan | Should -BeOfType ([PersistentChatFailover.Documents.Plan])
        Get-LabEffect $lab | Should -Be $before
        $lab.JournalPath | Should -Not -Exist
    }

    It 'asks once: without an answer nothing happens, and the result says so' {
        $before = Get-LabEffect $lab
        $child = Invoke-Child '$p = Get-FailoverParameter $lab; $r = Invoke-PChatFailover @p; $r.Text; exit ($r | Select-Result).ExitCode' -Lab $lab -StandIn
        $child.ExitCode | Should -Be 5
        $child.Output | Should -Match 'PCHAT1008'
        Get-LabEffect $lab | Should -Be $before
    }

    It 'refuses parameters that a plan carries inside' {
        $plan = New-PChatFailoverPlan @parameters
        $connection = $lab.Connection
        $r = Invoke-PChatFailover -Plan $plan @connection -AcceptDataLoss x -Force -ErrorVariable failed -ErrorAction SilentlyContinue
        $r.ExitCode | Should -Be 2
        $failed[0].Exception.Message | Should -Match '-AcceptDataLoss does not go with a plan'
    }

    It 'refuses an instance beside a plan from the pipeline, which would be passed over' {
        $plan = New-PChatFailoverPlan @parameters
        $before = Get-LabEffect $lab
        $r = $plan | Invoke-PChatFailover @parameters -Force -ErrorVariable failed -ErrorAction SilentlyContinue
        $r.ExitCode | Should -Be 2
        $failed[0].Exception.Message | Should -Match '-SqlInstance does not go with objects from the pipeline'
        Get-LabEffect $lab | Should -Be $before
    }

    It 'refuses a plan file that was cut short' {
        $file = Join-Path ([IO.Path]::GetTempPath()) "pchat-plan-$PID.json"
        $connection = $lab.Connection
        try {
            $document = (New-PChatFailoverPlan @parameters).Document
            Set-Content -LiteralPath $file $document.Substring(0, $document.Length - 40)
            $r = Invoke-PChatFailover -PlanPath $file @connection -Force -ErrorVariable failed -ErrorAction SilentlyContinue
            $r.ExitCode | Should -Be 2
            $failed[0].FullyQualifiedErrorId | Should -BeLike 'InvalidValue,*'
        } finally {
            Remove-Item -LiteralPath $file
        }
    }

    It 'refuses a plan when a fact of its decision has changed, and says which' {
        $plan = New-PChatFailoverPlan @parameters
        $before = (Send-Lab $lab 'truth').destructive | ConvertTo-Json
        Send-Lab $lab 'fault' @{ name = 'gap'; args = @{ instance = 'B\RTC'; folder = '\\fs1\LogShip'; file = 0 } } | Out-Null
        $connection = $lab.Connection
        $r = $plan | Invoke-PChatFailover @connection -Force -ErrorVariable failed -ErrorAction SilentlyContinue
        $result = $r | Select-Result
        $result.ExitCode | Should -Be 3
        $failed[0].Exception.Code | Should -BeIn 5005, 5001, 4002
        $failed[0].Exception.Message | Should -Match 'LogChain|log backup'
        (Send-Lab $lab 'truth').destructive | ConvertTo-Json | Should -Be $before
    }
}

Describe 'Invoke-PChatFailover, whole' {
    BeforeAll {
        $lab = Start-TestLab small -StandIn
        $parameters = Get-FailoverParameter $lab
        $connection = $lab.Connection
        $file = Join-Path ([IO.Path]::GetTempPath()) "pchat-plan-whole-$PID.json"
        (New-PChatFailoverPlan @parameters).Document | Set-Content -LiteralPath $file
        $output = @(Invoke-PChatFailover -PlanPath $file @connection -Force -Verbose 4>&1)
        $result = $output | Select-Result
        $truth = Send-Lab $lab 'truth'
    }

    AfterAll {
        Stop-TestLab $lab
        Remove-Item -LiteralPath $file
    }

    It 'ends as done: one object a step, then the summary' {
        $result.Outcome | Should -Be 'done'
        $result.ExitCode | Should -Be 0
        $steps = @($output | Where-Object { $_ -is [PersistentChatFailover.Documents.StepResult] })
        $steps.Count | Should -BeGreaterThan 8
        $steps.State | Sort-Object -Unique | Should -Not -Contain 'failed'
        $result.NextActions.Count | Should -BeGreaterThan 0
        $result.Loss.Text | Should -Match '\dZ|UTC'
    }

    It 'brings mgc online on the backup, with every message of the log backups' {
        $truth.copies.'B\RTC'.state | Should -Be 'ONLINE'
        $truth.lost_on_backup.count | Should -Be 7
        $truth.users.in | Should -BeTrue
        (Get-CsPersistentChatState).PoolState | Should -Be 'FailedOver'
    }

    It 'used no statement that the lab does not know' {
        Send-Lab $lab 'unknown_statements' | Should -BeNullOrEmpty
    }

    It 'leaves a closed run in the journal' {
        $run = Get-PChatRun -JournalPath $lab.JournalPath -WarningVariable told
        $run.RunId | Should -Be $result.RunId
        $run.IsOpen | Should -BeFalse
        $told | Should -BeNullOrEmpty
        (Get-PChatRun $run.RunId -JournalPath $lab.JournalPath).Steps.Count | Should -BeGreaterThan 8
    }

    It 'wrote the password nowhere' {
        $password = $lab.SqlCredential.GetNetworkCredential().Password
        ($output | Out-String -Width 4096) | Should -Not -Match ([regex]::Escape($password))
        (Get-Process -Id $PID, $lab.ProcessId).CommandLine -join ' ' | Should -Not -Match ([regex]::Escape($password))
        Get-ChildItem -Recurse -File $lab.JournalPath, $lab.PathMap['E:\LSCopy'] |
            Where-Object { $_.Extension -ne '.trn' -and [IO.File]::ReadAllText($_.FullName).Contains($password) } | Should -BeNullOrEmpty
    }

    It 'has nothing to do a second time that it was resumed' {
        $run = Get-RunParameter $lab
        $r = Resume-PChatRun @run -RunId $result.RunId -Force -ErrorAction SilentlyContinue
        $r.ExitCode | Should -Be 7
    }

    It 'cannot be given up any more, and says why' {
        $run = Get-RunParameter $lab
        $r = Undo-PChatRun @run -RunId $result.RunId -Force -ErrorVariable failed -ErrorAction SilentlyContinue
        ($r | Select-Result).ExitCode | Should -BeIn 3, 7
    }
}
