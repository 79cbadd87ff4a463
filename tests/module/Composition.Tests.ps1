# Ours into theirs where the native command documents pipeline input, and theirs into ours.
BeforeAll {
    Import-Module "$PSScriptRoot/Suite.psm1" -DisableNameChecking
    $lab = Start-TestLab small -StandIn
    $plan = $lab.Failover.Clone()
    foreach ($found in 'SqlInstance', 'PoolFqdn', 'PrimarySqlInstance', 'PrimaryMirrorSqlInstance', 'BackupMirrorSqlInstance', 'ActiveServer') {
        $plan.Remove($found)
    }
    $plan['JournalPath'] = $lab.JournalPath
}

AfterAll {
    Remove-Module PChatLab.Lync -ErrorAction Ignore
    Stop-TestLab $lab
}

Describe 'Get-CsService -PersistentChatServer into New-PChatFailoverPlan' {
    It 'finds pool, databases, mirrors, backup, backup mirror and servers by itself' {
        $made = Get-CsService -PersistentChatServer | New-PChatFailoverPlan @plan
        $made.CanRun | Should -BeTrue -Because ($made.Checks | Where-Object State -EQ 'failed' | Out-String)
        $made.PoolFqdn | Should -Be 'pchat.contoso.com'
        $made.SqlInstance | Should -Be 'b.contoso.com\RTC'
        $request = ($made.Document | ConvertFrom-Json).request
        $request.primary_sql_instance | Should -Be 'p.contoso.com\RTC'
        $request.primary_mirror_sql_instance | Should -Be 'pm.contoso.com\RTC'
        $request.backup_mirror_sql_instance | Should -Be 'bm.contoso.com\RTC'
        $request.active_servers | Should -Be 's3.contoso.com', 's4.contoso.com'
    }

    It 'lets a parameter go before what was found' {
        $made = Get-CsService -PersistentChatServer | New-PChatFailoverPlan @plan -ActiveServer s4.contoso.com
        ($made.Document | ConvertFrom-Json).request.active_servers | Should -Be @('s4.contoso.com')
    }

    It 'reads members tolerantly: <Name>' -ForEach @(
        @{ Name = 'no mirrors, default instance'; Object = @{ Identity = 'PersistentChatServer:pchat.contoso.com'; PersistentChatDatabase = 'PersistentChatDatabase:p.contoso.com'; BackupPersistentChatDatabase = 'PersistentChatDatabase:b.contoso.com'; InactiveServers = @('s3.contoso.com') } }
    ) {
        $made = New-Object psobject -Property $Object | New-PChatFailoverPlan @plan
        $made.PoolFqdn | Should -Be 'pchat.contoso.com'
        ($made.Document | ConvertFrom-Json).request.primary_mirror_sql_instance | Should -BeNullOrEmpty
    }

    It 'says what is missing where the topology has no backup database' {
        $service = New-Object psobject -Property @{ Identity = 'PersistentChatServer:pchat.contoso.com'; PersistentChatDatabase = 'PersistentChatDatabase:p.contoso.com' }
        $service | New-PChatFailoverPlan @plan -ErrorVariable failed -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'PoolNotFound*'
    }

    It 'goes straight into Invoke-PChatFailover too' {
        $made = Get-CsService -PersistentChatServer | Invoke-PChatFailover @plan -WhatIf
        $made.GetType().Name | Should -Be 'Plan'
        $made.SqlInstance | Should -Be 'b.contoso.com\RTC'
        $made.PoolFqdn | Should -Be 'pchat.contoso.com'
    }

    It 'makes a plan that <Command> refuses in plain words' -ForEach @(
        @{ Command = 'Invoke-PChatConferenceRestore' }, @{ Command = 'Invoke-PChatFailback' }
    ) {
        $before = Get-LabEffect $lab
        $made = Get-CsService -PersistentChatServer | New-PChatFailoverPlan @plan
        $r = $made | & $Command -Force -ErrorVariable failed -ErrorAction SilentlyContinue
        ($r | Select-Result).ExitCode | Should -Be 2
        $failed[0].Exception.Message | Should -Match 'Hand it to Invoke-PChatFailover'
        Get-LabEffect $lab | Should -Be $before
    }

    It 'takes the spelling of the identities from the operator' {
        $said = @{ PoolStateIdentity = 'service:pchat.contoso.com'; ActiveListIdentity = 'nowhere' }
        $made = Get-CsService -PersistentChatServer | New-PChatFailoverPlan @plan @said
        $made.CanRun | Should -BeFalse
        ($made.Checks | Where-Object Name -EQ 'PoolRights').Value | Should -Match 'nowhere'
        $said.Remove('ActiveListIdentity')
        $made = Get-CsService -PersistentChatServer | New-PChatFailoverPlan @plan @said
        $made.CanRun | Should -BeTrue
        @($made.Steps.NativeCommands) -match 'Set-CsPersistentChatState' | Should -Match "-Identity 'service:pchat.contoso.com'"
    }

    It 'still takes instances as text from the pipeline' {
        $target = $lab.Failover.Clone()
        $target.Remove('SqlInstance')
        $target['JournalPath'] = $lab.JournalPath
        ('B\RTC' | New-PChatFailoverPlan @target).SqlInstance | Should -Be 'B\RTC'
    }
}

Describe 'Stores and pools of Get-CsService into the commands that read' {
    It 'takes Get-CsService -PersistentChatDatabase into <Command>' -ForEach @(
        @{ Command = 'Get-PChatLogShipping' }, @{ Command = 'Get-PChatMirror' }
    ) {
        $how = $lab.Connection
        $found = @(Get-CsService -PersistentChatDatabase | Where-Object { $_.PoolFqdn -eq 'b.contoso.com' } | & $Command @how)
        $found.Count | Should -Be 1
        $found[0].SqlInstance | Should -Be 'b.contoso.com\RTC'
        # The SQL server's name, which the topology has as PoolFqdn, is no Persistent Chat pool.
        $found[0].PoolFqdn | Should -BeNullOrEmpty
    }

    It 'takes a store without an instance name as the default instance' {
        $store = New-Object psobject -Property @{ Identity = 'PersistentChatDatabase:nowhere.contoso.com'; PoolFqdn = 'nowhere.contoso.com'; SqlInstanceName = $null }
        $how = $lab.Connection.Clone()
        $how['AddressMap'] = @{ 'nowhere.contoso.com' = '127.0.0.1:1' }
        $store | Get-PChatMirror @how -ErrorVariable failed -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        "$($failed[0].TargetObject)" | Should -Be 'nowhere.contoso.com'
    }

    It 'takes Get-CsService -PersistentChatServer into Test-PChatFailover' {
        $checks = @(Get-CsService -PersistentChatServer | Test-PChatFailover @plan)
        $checks.Count | Should -BeGreaterThan 10
        $checks.SqlInstance | Select-Object -Unique | Should -Be 'b.contoso.com\RTC'
        $checks.PoolFqdn | Select-Object -Unique | Should -Be 'pchat.contoso.com'
        @($checks | Where-Object State -EQ 'failed').Count | Should -Be 0 -Because ($checks | Where-Object State -EQ 'failed' | Out-String)
    }

    It 'still takes instances as text into Test-PChatFailover' {
        $target = $lab.Failover.Clone()
        $target.Remove('SqlInstance')
        $target['JournalPath'] = $lab.JournalPath
        @('B\RTC' | Test-PChatFailover @target).SqlInstance | Select-Object -Unique | Should -Be 'B\RTC'
    }
}

Describe 'Ours into theirs' {
    BeforeAll {
        $target = Get-TargetParameter $lab
        $target.SqlInstance = 'b.contoso.com\RTC'
        $shipping = Get-PChatLogShipping @target
    }

    It 'carries the names that native commands take' {
        $shipping.SqlServerFqdn | Should -Be 'b.contoso.com'
        $shipping.SqlInstanceName | Should -Be 'RTC'
        $shipping.Identity | Should -Be 'PersistentChatServer:pchat.contoso.com'
        $shipping.PoolFqdn | Should -Be 'pchat.contoso.com'
    }

    It 'carries them on every output about an instance' {
        $documents = [PersistentChatFailover.Documents.Plan].Assembly.GetTypes() |
            Where-Object { $_.IsPublic -and $_.Namespace -eq 'PersistentChatFailover.Documents' -and $_.GetProperty('SqlInstance') -and $_.GetProperty('PoolFqdn') }
        [xml] $types = Get-Content -Raw (Join-Path (Get-ProjectRoot) 'module/PersistentChatFailover.Types.ps1xml')
        $known = @($types.Types.Type | Where-Object { "$($_.Members.ScriptProperty.Name | Sort-Object)" -eq 'Identity SqlInstanceName SqlServerFqdn' } | ForEach-Object Name)
        # What is found of a pool stays inside, and the lab's own object is no output about an instance.
        $documents.FullName | Where-Object { $_ -notmatch 'PoolTopology|PChatLab' } | ForEach-Object { $known | Should -Contain $_ }
    }

    It 'splats into Test-CsDatabase' {
        $where = @{ DatabaseType = 'PersistentChat'; SqlServerFqdn = $shipping.SqlServerFqdn; SqlInstanceName = $shipping.SqlInstanceName }
        @(Test-CsDatabase @where -Confirm:$false).DatabaseName | Should -Be 'mgc'
    }

    It 'gives an identity that Get-CsPersistentChatState accepts' {
        $shipping | ForEach-Object { Get-CsPersistentChatState -Identity $_.Identity } | ForEach-Object PoolState | Should -Be 'Normal'
    }

    It 'goes by ForEach-Object where there is no pipeline input' {
        @($shipping | ForEach-Object { Get-CsDatabaseMirrorState -PoolFqdn $_.PoolFqdn -DatabaseType PersistentChat -ErrorAction SilentlyContinue }).Count | Should -BeLessOrEqual 1
        @($shipping | ForEach-Object { Get-CsService -PersistentChatServer -PoolFqdn $_.PoolFqdn }).Count | Should -Be 1
    }

    It 'pipes a pool name into Invoke-CsBackupServiceSync, the one that takes it' {
        { 'pool2.contoso.com' | Invoke-CsBackupServiceSync -BackupModule ConfServices.DataConf } | Should -Not -Throw
    }
}

Describe 'Theirs into ours' {
    BeforeAll {
        $pair = Start-TestLab conference-lost -StandIn
    }

    AfterAll {
        Stop-TestLab $pair
    }

    It 'takes the pools of Get-CsPool as they are' {
        $modules = @(Get-CsPool pool2.contoso.com | Wait-PChatBackupService -SyncIntervalSeconds 1 -BackupServiceTimeoutSeconds 60)
        $modules[0].DamagedPoolFqdn | Should -Be 'pool1.contoso.com' -Because ($modules | Out-String)
    }

    It 'takes no other object by its identity' {
        Get-CsBackupServiceConfiguration | Wait-PChatBackupService -ErrorVariable failed -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $failed[0].FullyQualifiedErrorId | Should -BeLike '*,PersistentChatFailover.Commands.WaitPChatBackupService'
    }
}
