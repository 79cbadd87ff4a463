# The scripts of docs/examples, and the examples of help pages, as an operator would run them.
BeforeAll {
    Import-Module "$PSScriptRoot/Suite.psm1" -DisableNameChecking
    $example = Join-Path (Get-ProjectRoot) 'docs/examples/failover-and-conference.ps1'
    $call = @"
`$failover = `$lab.Connection + @{ PathMap = `$lab.PathMap; JournalPath = `$lab.JournalPath }
`$conference = @{ JournalPath = `$lab.JournalPath; PathMap = `$lab.PathMap; BackupServiceTimeoutSeconds = 60 }
& '$example' -MirrorFileShare '\\fs2\mirror' -FailoverParameter `$failover -ConferenceParameter `$conference
"@
    # The home site's Front End is back; its meeting content is lost. The chat servers of that site stay dead.
    $both = @{
        name = 'both'; hosts_lost = @('P', 'PM', 's1', 's2')
        log_shipping = @{ log_backups = 3; not_copied = 1; not_restored = 1 }
        pool = @{ backup_service = @{ sync_interval_seconds = 1; content_lost_on = 'pool1.contoso.com'; after_sync = @(
                    @{ after_seconds = 0.2; export = 'NonSteadyState'; import = 'NormalState' }
                    @{ after_seconds = 0.9; export = 'SteadyState'; import = 'NormalState' }
                ) } }
    }
}

Describe 'docs/examples/failover-and-conference.ps1' {
    It 'runs the whole of failover and conference restore, unattended' {
        $lab = Start-OwnLab $both
        try {
            $child = Invoke-Child -Lab $lab -StandIn -TimeoutSeconds 240 -Script "$call -DamagedPoolFqdn pool1.contoso.com -AfterPoolFailback -HealthCheck; exit `$LASTEXITCODE"
            $child.ExitCode | Should -Be 0 -Because $child.Output
            $child.Output | Should -Match 'The pool is FailedOver; active: s3.contoso.com, s4.contoso.com'
            ((Send-Lab $lab 'state').pool.conference_content | Where-Object pool_fqdn -EQ 'pool1.contoso.com').present | Should -Be 250
            (Send-Lab $lab 'truth').users.in | Should -BeTrue

            # Once more: the failover is done and left alone, and the conference part is reached all the same.
            $failovers = @(Get-PChatRun -JournalPath $lab.JournalPath | Where-Object Kind -EQ 'failover').Count
            $child = Invoke-Child -Lab $lab -StandIn -TimeoutSeconds 240 -Script "$call -DamagedPoolFqdn nowhere.contoso.com; exit `$LASTEXITCODE"
            $child.Output | Should -Match 'pchat.contoso.com is failed over already'
            $child.Output | Should -Match 'nowhere.contoso.com'
            $child.ExitCode | Should -Be 3 -Because $child.Output
            $child = Invoke-Child -Lab $lab -StandIn -TimeoutSeconds 240 -Script "$call; exit `$LASTEXITCODE"
            $child.ExitCode | Should -Be 7 -Because $child.Output
            @(Get-PChatRun -JournalPath $lab.JournalPath | Where-Object Kind -EQ 'failover').Count | Should -Be $failovers
        } finally {
            Stop-TestLab $lab
        }
    }

    It 'restores the content though the failover is refused, and ends with the worst code' {
        $lab = Start-OwnLab ($both + @{ faults = @(@{ name = 'share_lost'; args = @{ share = '\\fs1\LogShip' } }) })
        try {
            $child = Invoke-Child -Lab $lab -StandIn -TimeoutSeconds 240 -Script "$call -DamagedPoolFqdn pool1.contoso.com -AfterPoolFailback; exit `$LASTEXITCODE"
            $child.ExitCode | Should -Be 3 -Because $child.Output
            $child.Output | Should -Match 'Conference content: done'
            ((Send-Lab $lab 'state').pool.conference_content | Where-Object pool_fqdn -EQ 'pool1.contoso.com').present | Should -Be 250
        } finally {
            Stop-TestLab $lab
        }
    }

    It 'ends with the code of a health check that failed' {
        # The restore is done, and then the way back shows an error that holds.
        $own = $both.Clone()
        $own.pool = @{ backup_service = $both.pool.backup_service + @{ modules = @(@{
                        pool_fqdn = 'pool1.contoso.com'; module = 'ConfServices.DataConf'; export = 'ErrorState'; import = 'NormalState'; after_sync = @()
                    }) } }
        $lab = Start-OwnLab $own
        try {
            $child = Invoke-Child -Lab $lab -StandIn -TimeoutSeconds 240 -Script "$call -DamagedPoolFqdn pool1.contoso.com -AfterPoolFailback -HealthCheck -HealthCheckTimeoutSeconds 60; exit `$LASTEXITCODE"
            $child.Output | Should -Match 'Conference content: done'
            $child.ExitCode | Should -Be 1 -Because $child.Output
        } finally {
            Stop-TestLab $lab
        }
    }

    It 'ends with the exit code of the part that was refused' {
        $lab = Start-OwnLab ($both + @{ faults = @(@{ name = 'share_lost'; args = @{ share = '\\fs1\LogShip' } }) })
        try {
            $child = Invoke-Child -Lab $lab -StandIn -TimeoutSeconds 120 -Script "$call; exit `$LASTEXITCODE"
            $child.ExitCode | Should -Be 3 -Because $child.Output
        } finally {
            Stop-TestLab $lab
        }
    }
}

Describe 'The examples of <Name>' -ForEach @(
    @{ Name = 'Wait-PChatBackupService' }, @{ Name = 'Invoke-PChatConferenceRestore' }, @{ Name = 'New-PChatFailoverPlan' }
) {
    It 'run on the lab as they stand' {
        Import-Product
        foreach ($one in (Get-Help $Name -Full).examples.example) {
            $text = @($one.code) -join "`n"
            $child = Invoke-Child -TimeoutSeconds 120 -Script "`$ErrorActionPreference = 'Stop'`n$text`nStop-PChatLab `$lab`nexit 0"
            $child.ExitCode | Should -Be 0 -Because "$text`n$($child.Output)"
        }
    }
}
