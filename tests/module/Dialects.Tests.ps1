# The stand-ins of both releases, and of pages that print what no syntax has, through a whole failover and restore.
BeforeAll {
    Import-Module "$PSScriptRoot/Suite.psm1" -DisableNameChecking
    # The home site is lost but for its Front End, which lost its meeting content.
    $scenario = @{
        name = 'dialects'; hosts_lost = @('P', 'PM', 's1', 's2')
        log_shipping = @{ log_backups = 3; not_copied = 1; not_restored = 1 }
        pool = @{ backup_service = @{ sync_interval_seconds = 1; content_lost_on = 'pool1.contoso.com'; after_sync = @(
                    @{ after_seconds = 0.2; export = 'NonSteadyState'; import = 'NormalState' }
                    @{ after_seconds = 0.9; export = 'SteadyState'; import = 'NormalState' }
                ) } }
    }
    function Get-NativeCall {
        param($Lab, [string] $Name)
        @((Send-Lab $Lab 'truth').native_calls | Where-Object { $_.call.name -eq $Name -and -not $_.what_if } | ForEach-Object { $_.call.parameters })
    }
}

AfterAll {
    Remove-Item -Path function:global:Get-CsPersistentChatActiveServer -ErrorAction Ignore
    Remove-Module PChatLab.Lync -ErrorAction Ignore
}

Describe 'Failover and conference restore with the commands of <Dialect>' -ForEach @(
    @{ Dialect = 'Lync2013'; List = 'global'; Switches = $false }
    @{ Dialect = 'Sfb2015'; List = 'PChatServerCollection'; Switches = $true }
) {
    BeforeAll {
        $lab = Start-OwnLab $scenario -StandIn
        Connect-PChatLabLync -Control $lab.Control -Dialect $Dialect
    }

    AfterAll {
        Stop-TestLab $lab
    }

    It 'has the parameters of that release' {
        (Get-Command Stop-CsWindowsService).Parameters.ContainsKey('LeaveWebServerRunning') | Should -Be $Switches
    }

    It 'fails over, by the identities of that release' {
        $how = $lab.Connection + @{ PathMap = $lab.PathMap; JournalPath = $lab.JournalPath; PoolTimeoutSeconds = 60 }
        $r = Get-CsService -PersistentChatServer | Invoke-PChatFailover -MirrorFileShare '\\fs2\mirror' -Force @how | Select-Result
        $r.ExitCode | Should -Be 0 -Because $r.Text
        (Get-CsPersistentChatState).PoolState | Should -Be 'FailedOver'
        @(Get-NativeCall $lab 'Set-CsPersistentChatActiveServer' | ForEach-Object Identity | Select-Object -Unique) | Should -Be $List
    }

    It 'restores the content' {
        $how = @{ JournalPath = $lab.JournalPath; PathMap = $lab.PathMap; BackupServiceTimeoutSeconds = 60 }
        $r = Invoke-PChatConferenceRestore pool1.contoso.com -AfterPoolFailback -Force @how | Select-Result
        $r.ExitCode | Should -Be 0 -Because $r.Text
        ((Send-Lab $lab 'state').pool.conference_content | Where-Object pool_fqdn -EQ 'pool1.contoso.com').present | Should -Be 250
    }
}

Describe 'Forms that one page prints, <Variant>' -ForEach @(
    @{ Variant = 'not installed'; Forms = @() }
    @{ Variant = 'installed'; Forms = @('Get-CsBackupServiceStatus -BackupModule', 'Get-CsPersistentChatActiveServer', 'Invoke-CsDatabaseFailover -ExcludeDatabase') }
) {
    BeforeAll {
        $own = $scenario.Clone()
        $own.pool = $scenario.pool + @{ native = @{ page_forms = $Forms } }
        $lab = Start-OwnLab $own -StandIn
        Connect-PChatLabLync -Control $lab.Control -PageForm $Forms
    }

    AfterAll {
        Stop-TestLab $lab
    }

    It 'are there or not, as the installation has it' {
        [bool] (Get-Command Get-CsPersistentChatActiveServer -ErrorAction Ignore) | Should -Be ($Forms.Count -gt 0)
        (Get-Command Invoke-CsDatabaseFailover).Parameters.ContainsKey('ExcludeDatabase') | Should -Be ($Forms.Count -gt 0)
        $printed = { Get-CsBackupServiceStatus -PoolFqdn pool2.contoso.com -BackupModule ConfServices.DataConf -ErrorAction Stop }
        if ($Forms) {
            @((& $printed).BackupModules).Count | Should -Be 1
            @((Get-CsPersistentChatActiveServer).ActiveServers) | Should -Be @((Get-CsService -PersistentChatServer).ActiveServers)
        } else {
            $printed | Should -Throw '*BackupModule*'
        }
    }

    It 'are not needed for a restore, which reads the status without them' {
        $before = @(Get-NativeCall $lab 'Get-CsBackupServiceStatus').Count
        $how = @{ JournalPath = $lab.JournalPath; PathMap = $lab.PathMap; BackupServiceTimeoutSeconds = 60 }
        $r = Invoke-PChatConferenceRestore pool1.contoso.com -AfterPoolFailback -Force @how | Select-Result
        $r.ExitCode | Should -Be 0 -Because $r.Text
        $ours = @(Get-NativeCall $lab 'Get-CsBackupServiceStatus' | Select-Object -Skip $before)
        $ours.Count | Should -BeGreaterThan 4
        @($ours | ForEach-Object { $_.PSObject.Properties.Name } | Select-Object -Unique) | Should -Be 'PoolFqdn'
    }

    It 'are not used by a failover' {
        $how = $lab.Connection + @{ PathMap = $lab.PathMap; JournalPath = $lab.JournalPath }
        $before = @(Get-NativeCall $lab 'Get-CsPersistentChatActiveServer').Count
        $plan = Get-CsService -PersistentChatServer | New-PChatFailoverPlan -MirrorFileShare '\\fs2\mirror' @how
        $plan.CanRun | Should -BeTrue -Because ($plan.Checks | Where-Object State -EQ 'failed' | Out-String)
        "$($plan.Steps.NativeCommands)" | Should -Not -Match 'Get-CsPersistentChatActiveServer|ExcludeDatabase'
        @(Get-NativeCall $lab 'Get-CsPersistentChatActiveServer').Count | Should -Be $before
    }
}
