BeforeAll {
    Import-Module "$PSScriptRoot/Suite.psm1" -DisableNameChecking
}

AfterAll { Remove-Module PChatLab.Lync -ErrorAction Ignore }

Describe 'Invoke-PChatFailback, after a disaster and a failover' {
    BeforeAll {
        $lab = Start-TestLab healthy -StandIn
        $target = Get-TargetParameter $lab
        $folder = Join-Path ([IO.Path]::GetTempPath()) ('pchat-baseline-' + [guid]::NewGuid().ToString('N'))
        Save-PChatBaseline @target -Path $folder -ErrorAction Stop | Out-Null
        # Few messages a second, so that days may pass.
        Send-Lab $lab messages @{ per_second = 0.01; write = 30 } | Out-Null
        Send-Lab $lab primary_site_lost | Out-Null
        $there = Get-FailoverParameter $lab
        $there['NoJournalCopy'] = $true
        $result = Invoke-PChatFailover @there -Force | Select-Result
        $result.ExitCode | Should -Be 0
        $lost = (Send-Lab $lab truth).copies.'B\RTC'.missing
        $lost.count | Should -BeGreaterThan 0
        Send-Lab $lab messages @{ write = 40 } | Out-Null
        Send-Lab $lab clock @{ pass_seconds = 172800 } | Out-Null
        Send-Lab $lab primary_site_back | Out-Null
        $back = $there.Clone()
        $back['ActiveServer'] = 's1.contoso.com', 's2.contoso.com'
        $back['Baseline'] = $folder
        foreach ($name in @($back.Keys)) {
            if (-not (Get-Command Invoke-PChatFailback).Parameters.ContainsKey($name)) { $back.Remove($name) }
        }
    }

    AfterAll {
        Stop-TestLab $lab
        Remove-Item -LiteralPath $folder -Recurse -Force -ErrorAction Ignore
    }

    It '-WhatIf gives the plan, with every statement, and touches nothing' {
        $plan = Invoke-PChatFailback @back -WhatIf
        $plan.Kind | Should -Be 'failback'
        $plan.CanRun | Should -BeTrue -Because ($plan.Checks | Where-Object State -eq 'failed' | Out-String)
        ($plan.Steps.Statements -join "`n") | Should -Match 'REPLACE'
        ($plan.Steps | Where-Object Name -eq 'save_copies') | Should -Not -BeNullOrEmpty
        (Send-Lab $lab truth).copies.'P\RTC'.state | Should -Be 'ONLINE'
        (Send-Lab $lab truth).copies.'B\RTC'.state | Should -Be 'ONLINE'
    }

    It 'a parameter beside a plan is refused: the plan has it inside' {
        $plan = New-PChatFailbackPlan @back
        $failed = $plan | Invoke-PChatFailback -Documented -Force -ErrorAction SilentlyContinue | Select-Result
        $failed.ExitCode | Should -Be 2
    }

    It 'a baseline that is none is told before anything is asked' {
        $wrong = $back.Clone()
        $wrong['Baseline'] = Join-Path $folder 'none'
        $failed = Invoke-PChatFailback @wrong -Force -ErrorAction SilentlyContinue | Select-Result
        $failed.ExitCode | Should -Not -Be 0
        (Send-Lab $lab truth).copies.'B\RTC'.state | Should -Be 'ONLINE'
    }

    It 'comes home: only what the failover lost is missing, and the configuration is that of the baseline' {
        $how = @{ SqlCredential = $back['SqlCredential']; AddressMap = $back['AddressMap']; TrustServerCertificate = $true }
        $result = New-PChatFailbackPlan @back | Invoke-PChatFailback @how -Force | Select-Result
        $result.Outcome | Should -Be 'done' -Because ($result | Format-List | Out-String)
        $result.ExitCode | Should -Be 0
        $truth = Send-Lab $lab truth
        $truth.copies.'P\RTC'.state | Should -Be 'ONLINE'
        $truth.copies.'B\RTC'.state | Should -Be 'RESTORING'
        $truth.copies.'P\RTC'.missing.messages | Should -Be $lost.messages
        $truth.copies.'P\RTC'.doubled.count | Should -Be 0
        (Save-PChatBaseline @target -Path $folder).Drift | Should -BeNullOrEmpty
        (Get-PChatRun -JournalPath $lab.JournalPath -Open) | Should -BeNullOrEmpty
    }
}
