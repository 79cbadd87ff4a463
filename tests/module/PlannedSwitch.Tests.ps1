BeforeAll {
    Import-Module "$PSScriptRoot/Suite.psm1" -DisableNameChecking
}

AfterAll { Remove-Module PChatLab.Lync -ErrorAction Ignore }

Describe 'Invoke-PChatFailover -Planned, while both sites live' {
    BeforeAll {
        $lab = Start-TestLab healthy -StandIn
        $parameters = Get-FailoverParameter $lab
        $parameters['Planned'] = $true
        $parameters.Remove('NoJournalCopy')
        $parameters['BaselinePath'] = Join-Path $TestDrive 'baseline'
        $target = Get-TargetParameter $lab
        Save-PChatBaseline @target -Path $parameters['BaselinePath'] -ErrorAction Stop | Out-Null
    }

    AfterAll { Stop-TestLab $lab }

    It '-WhatIf gives the plan, with no loss, and touches nothing' {
        $plan = Invoke-PChatFailover @parameters -WhatIf
        $plan.Kind | Should -Be 'planned_switch'
        $plan.CanRun | Should -BeTrue
        $plan.Loss.MustBeAccepted | Should -BeFalse
        # The jobs of a healthy lab go on by themselves, so that only what the switch would change is looked at.
        $copies = (Send-Lab $lab truth).copies
        $copies.'P\RTC'.state | Should -Be 'ONLINE'
        $copies.'B\RTC'.state | Should -Be 'RESTORING'
        $lab.JournalPath | Should -Not -Exist
    }

    It 'is refused where nobody says what becomes of the second copy of the journal' {
        $nowhere = $parameters.Clone()
        $nowhere.Remove('BaselinePath')
        $plan = Invoke-PChatFailover @nowhere -WhatIf
        $plan.CanRun | Should -BeFalse
        ($plan.Checks | Where-Object Name -EQ 'JournalCopy').Message | Should -Match '-BaselinePath'
        (Invoke-PChatFailover @nowhere -NoJournalCopy -WhatIf).CanRun | Should -BeTrue
    }

    It 'is refused where a baseline is named and is not there' {
        $wrong = $parameters.Clone()
        $wrong['BaselinePath'] = Join-Path $TestDrive 'none'
        $failed = Invoke-PChatFailover @wrong -Force -ErrorAction SilentlyContinue -ErrorVariable refused | Select-Result
        $failed.ExitCode | Should -Be 2
        $refused[0].FullyQualifiedErrorId | Should -BeLike 'BaselineNotFound*'
        (Send-Lab $lab truth).copies.'P\RTC'.state | Should -Be 'ONLINE'
    }

    It 'a disaster is not believed while the primary answers' {
        $disaster = $parameters.Clone()
        $disaster.Remove('Planned')
        $disaster.Remove('BaselinePath')
        $disaster['NoJournalCopy'] = $true
        $result = Invoke-PChatFailover @disaster -Force -ErrorAction SilentlyContinue | Select-Result
        $result.ExitCode | Should -Be 3
        (Send-Lab $lab truth).copies.'P\RTC'.state | Should -Be 'ONLINE'
    }

    It 'moves mgc and loses and doubles no message' {
        $result = Invoke-PChatFailover @parameters -Force | Select-Result
        $result.Outcome | Should -Be 'done'
        $result.ExitCode | Should -Be 0
        Join-Path $parameters['BaselinePath'] '*.journal' | Should -Exist
        $truth = Send-Lab $lab truth
        $here = $truth.copies.'B\RTC'
        $here.state | Should -Be 'ONLINE'
        $here.missing.count | Should -Be 0
        $here.doubled.count | Should -Be 0
        $truth.copies.'P\RTC'.state | Should -Be 'RESTORING'
        (Get-PChatRun -JournalPath $lab.JournalPath -Open) | Should -BeNullOrEmpty
    }

    It 'comes home the same way, without seeding, to the configuration of the baseline' {
        Send-Lab $lab messages @{ per_second = 0.01; write = 40 } | Out-Null
        Send-Lab $lab clock @{ pass_seconds = 7200 } | Out-Null
        $back = @{ Baseline = $parameters['BaselinePath']; ActiveServer = 's1.contoso.com', 's2.contoso.com' }
        $names = (Get-Command Invoke-PChatFailback).Parameters.Keys
        foreach ($name in $parameters.Keys | Where-Object { $_ -in $names -and -not $back.ContainsKey($_) }) {
            $back[$name] = $parameters[$name]
        }
        $output = @(Invoke-PChatFailback @back -Force)
        $result = $output | Select-Result
        $result.Outcome | Should -Be 'done' -Because ($result | Format-List | Out-String)
        $output.Name | Should -Not -Contain 'seed'
        $copy = (Send-Lab $lab truth).copies.'P\RTC'
        $copy.state | Should -Be 'ONLINE'
        $copy.missing.count | Should -Be 0
        $copy.doubled.count | Should -Be 0
        (Save-PChatBaseline @target -Path $parameters['BaselinePath']).Drift | Should -BeNullOrEmpty
    }
}
