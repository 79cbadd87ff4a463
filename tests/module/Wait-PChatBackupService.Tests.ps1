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

    It 'refuses the damaged pool as its own source' {
        Wait-PChatBackupService pool2.contoso.com -DamagedPoolFqdn POOL2.contoso.com -ErrorVariable failed -ErrorAction SilentlyContinue
        $failed[0].Exception.Code | Should -Be 6010
    }

    It 'does nothing for an empty pipeline without a name' {
        @() | Wait-PChatBackupService @limit | Should -BeNullOrEmpty
    }
}
