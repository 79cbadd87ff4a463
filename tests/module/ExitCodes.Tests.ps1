# The documented pattern for scripts and scheduled tasks, in shells of their own: every way to end has its code.
BeforeAll {
    Import-Module "$PSScriptRoot/Suite.psm1" -DisableNameChecking
    $pattern = @'
$where = Get-FailoverParameter $lab
{0}
$r = @(Invoke-PChatFailover @where -Force | Where-Object {{ $_.PSObject.Properties['ExitCode'] }})
if ($r.Count -eq 0) {{ exit 1 }}
exit ($r | Sort-Object {{ $_.ExitCode -eq 0 }} | Select-Object -First 1).ExitCode
'@

    function Get-ExitCode {
        param($Lab, [string] $Change = '')
        $child = Invoke-Child ($pattern -f $Change) -Lab $Lab -StandIn
        Write-Verbose $child.Output
        $child.ExitCode
    }
}

AfterAll { Remove-Module PChatLab.Lync -ErrorAction Ignore }

Describe 'Exit codes of Invoke-PChatFailover' {
    BeforeAll { $lab = Start-TestLab small -StandIn }
    AfterAll { Stop-TestLab $lab }

    It '2: a name that does not resolve, a wrong password' {
        Get-ExitCode $lab '$where.SqlInstance = "no-such-host.invalid"' | Should -Be 2
        Get-ExitCode $lab '$where.SqlCredential = New-Object pscredential sa, (ConvertTo-SecureString x -AsPlainText -Force)' | Should -Be 2
    }

    It '1: an instance that refuses connections' {
        Get-ExitCode $lab '$where.SqlInstance = "P\RTC"' | Should -Be 1
    }

    It '3: a check that fails' {
        Get-ExitCode $lab '$where.ActiveServer = "nobody.contoso.com"' | Should -Be 3
    }

    It '1: a parameter that does not bind leaves no result' {
        Get-ExitCode $lab '$where.ProbeTimeoutSeconds = 0' | Should -Be 1
    }
}

Describe 'Exit code 6' {
    It 'another run holds the lock, and is named; once its process is killed, Resume-PChatRun ends with 0' {
        $lab = Start-OwnLab @{
            name = 'slow'; primary_site_lost = $true
            log_shipping = @{ log_backups = 8; not_copied = 4; not_restored = 5; log_backup_kilobytes = 2048 }
        } -StandIn
        try {
            $first = Start-Child ($pattern -f '$where.MaxMegabytesPerSecond = 1') -Lab $lab -StandIn
            $until = (Get-Date).AddSeconds(30)
            do {
                Start-Sleep -Milliseconds 100
                $jobs = (Send-Lab $lab 'state').instances.'B\RTC'.jobs | Where-Object name -Match '^LSRestore'
            } while ($jobs.enabled -and (Get-Date) -lt $until)
            $jobs.enabled | Should -BeFalse
            $second = Invoke-Child ($pattern -f '') -Lab $lab -StandIn
            $second.ExitCode | Should -Be 6 -Because ($second.Output -replace '\s+', ' ')
            $second.Output | Should -Match 'PCHAT5008'
            $first.Process.Kill()
            (Wait-Child $first).ExitCode | Should -Not -Be 0
            $last = Invoke-Child '$run = Get-RunParameter $lab; $r = Resume-PChatRun @run -Force | Select-Result; exit $r.ExitCode' -Lab $lab -StandIn
            $last.ExitCode | Should -Be 0 -Because ($last.Output -replace '\s+', ' ')
        } finally {
            Stop-TestLab $lab
        }
    }
}

Describe 'Exit code 4' {
    It 'a mirror that cannot be set up: users are served, the run is incomplete and says what to do' {
        $lab = Start-TestLab mirror-setup-fails -StandIn
        try {
            $parameters = Get-FailoverParameter $lab
            $r = Invoke-PChatFailover @parameters -Force -ErrorVariable failed -ErrorAction SilentlyContinue
            $result = $r | Select-Result
            $result.ExitCode | Should -Be 4
            $result.Outcome | Should -Be 'incomplete'
            $failed[0].Exception.ExitCode | Should -Be 4
            $failed[0].FullyQualifiedErrorId | Should -BeLike 'MirrorNotInstalled,*'
            $result.NextActions -join ' ' | Should -Match 'Resume-PChatRun|Install-CsMirrorDatabase'
            (Send-Lab $lab 'truth').users.in | Should -BeTrue
        } finally {
            Stop-TestLab $lab
        }
    }
}

Describe 'Exit code 3 for data loss' {
    It 'is 0 only where the loss is accepted by the name that the refusal shows' {
        $lab = Start-TestLab share-lost -StandIn
        try {
            $parameters = Get-FailoverParameter $lab
            $plan = New-PChatFailoverPlan @parameters
            $plan.CanRun | Should -BeFalse
            $plan.Loss.MustBeAccepted | Should -BeTrue
            $r = Invoke-PChatFailover @parameters -Force -ErrorAction SilentlyContinue
            ($r | Select-Result).ExitCode | Should -Be 3
            $r = Invoke-PChatFailover @parameters -Force -AcceptDataLoss 'everything' -ErrorAction SilentlyContinue
            ($r | Select-Result).ExitCode | Should -BeIn 2, 3
            $r = Invoke-PChatFailover @parameters -Force -AcceptDataLoss $plan.Loss.AcceptValue -ErrorVariable failed -ErrorAction SilentlyContinue
            ($r | Select-Result).ExitCode | Should -Be 0 -Because "$failed"
            ($r | Select-Result).Loss.Text | Should -Match '\d{4}-\d\d-\d\d'
        } finally {
            Stop-TestLab $lab
        }
    }
}
