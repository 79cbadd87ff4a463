BeforeAll {
    Import-Module "$PSScriptRoot/Suite.psm1" -DisableNameChecking
    $lab = Start-TestLab conference-one-way -StandIn
    $limit = @{ BackupServiceTimeoutSeconds = 60 }
    function Get-Meeting {
        param([string] $Pool)
        (Send-Lab $lab 'state').pool.conference_content | Where-Object pool_fqdn -EQ $Pool
    }
}

AfterAll {
    Remove-Module PChatLab.Lync -ErrorAction Ignore
    Stop-TestLab $lab
}

Describe 'Wait-PChatBackupService' {
    It 'waits after a sync that emits nothing, for the pool that is named' {
        $modules = @(Invoke-CsBackupServiceSync -PoolFqdn pool2.contoso.com -BackupModule ConfServices.DataConf |
                Wait-PChatBackupService -PoolFqdn pool2.contoso.com @limit)
        $modules.Count | Should -Be 2
        $modules.IsDone | Should -Not -Contain $false
        $modules[0].PoolFqdn | Should -Be 'pool2.contoso.com'
        $modules[0].DamagedPoolFqdn | Should -Be 'pool1.contoso.com'
        $modules[0].Seen[0].AtUtc.Kind | Should -Be 'Utc'
        (Get-Meeting pool1.contoso.com).present | Should -Be 250
    }

    It 'takes pool names from the pipeline, one pair waited for once' {
        $modules = @('pool2.contoso.com', 'POOL2.contoso.com' | Wait-PChatBackupService @limit -BackupModule DataConf, PresenceFocus)
        $modules.Count | Should -Be 4
        $modules.BackupModule | Select-Object -Unique | Should -Be 'ConfServices.DataConf', 'UserServices.PresenceFocus'
    }

    It 'takes objects that carry PoolFqdn, and its own output' {
        $again = @(New-Object psobject -Property @{ PoolFqdn = 'pool2.contoso.com' } | Wait-PChatBackupService @limit | Wait-PChatBackupService @limit)
        $again.Count | Should -Be 2
    }

    It 'gives its PoolFqdn to the native sync, which takes it from the pipeline as text' {
        $modules = @(Wait-PChatBackupService pool2.contoso.com @limit)
        $before = @((Send-Lab $lab 'effects')).Count
        $modules[0].PoolFqdn | Invoke-CsBackupServiceSync
        @((Send-Lab $lab 'effects')).Count | Should -BeGreaterThan $before
    }

    It 'ends with a non-terminating error and a code at its limit, after what was seen' {
        $modules = @(Wait-PChatBackupService pool2.contoso.com -HealthCheck -BackupServiceTimeoutSeconds 4 -ErrorVariable failed -ErrorAction SilentlyContinue)
        $modules.Count | Should -Be 6
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'BackupServiceNotSettled*'
        $failed[0].Exception.ExitCode | Should -Be 4
        $failed[0].Exception.Message | Should -Match 'pool1.contoso.com: the export of ConfServices.DataConf is NonSteadyState'
    }

    It 'waits for each damaged pool that is named with the same survivor' {
        $two = 'pool1.contoso.com', 'POOL2.contoso.com' | ForEach-Object { New-Object psobject -Property @{ PoolFqdn = 'pool2.contoso.com'; DamagedPoolFqdn = $_ } }
        $modules = @($two | Wait-PChatBackupService @limit -ErrorVariable failed -ErrorAction SilentlyContinue)
        $modules.Count | Should -Be 2
        $modules.IsDone | Should -Not -Contain $false
        @($failed).Exception.Code | Should -Contain 6010
    }

    It 'shows a bar for each module below the one of the whole' {
        $shell = [powershell]::Create()
        try {
            [void] $shell.AddScript("Import-Module '$(Join-Path (Get-ProjectRoot) 'PersistentChatFailover.psd1')'; Import-Module '$($lab.StandInModule)'; Connect-PChatLabLync -Control '$($lab.Control)'; Wait-PChatBackupService pool2.contoso.com -BackupModule DataConf, PresenceFocus -BackupServiceTimeoutSeconds 60")
            @($shell.Invoke()).Count | Should -Be 4
            $whole = @($shell.Streams.Progress | Where-Object { $_.ParentActivityId -lt 0 -and $_.Activity -match 'backup service' })
            $parts = @($shell.Streams.Progress | Where-Object ParentActivityId -EQ $whole[0].ActivityId)
            @($parts | ForEach-Object ActivityId | Select-Object -Unique).Count | Should -Be 4
            $parts.Activity | Should -Contain 'UserServices.PresenceFocus on pool1.contoso.com'
            @($parts | Where-Object RecordType -EQ 'Completed').Count | Should -Be 4
        } finally {
            $shell.Dispose()
        }
    }

    It 'refuses <What> at once, with what there is' -ForEach @(
        @{ What = 'a module that no status shows'; More = @{ BackupModule = 'DataCnf' }; Code = 1002; Text = 'ConfServices.DataConf' }
        @{ What = 'a pool that is not there'; More = @{ DamagedPoolFqdn = 'pool7.contoso.com' }; Code = 6004; Text = 'pool1.contoso.com' }
        @{ What = 'a limit within which nothing can be believed'; More = @{ SyncIntervalSeconds = 20 }; Code = 1002; Text = '65 or more' }
    ) {
        Wait-PChatBackupService pool2.contoso.com @limit @More -ErrorVariable failed -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $failed[0].Exception.Code | Should -Be $Code
        "$($failed[0].Exception.Message) $($failed[0].ErrorDetails.RecommendedAction)" | Should -Match ([regex]::Escape($Text))
    }

    It 'refuses the damaged pool as its own source' {
        Wait-PChatBackupService pool2.contoso.com -DamagedPoolFqdn POOL2.contoso.com -ErrorVariable failed -ErrorAction SilentlyContinue
        $failed[0].Exception.Code | Should -Be 6010
    }

    It 'does nothing for an empty pipeline without a name' {
        @() | Wait-PChatBackupService @limit | Should -BeNullOrEmpty
    }
}
