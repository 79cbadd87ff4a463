<#
.SYNOPSIS
Tries on real servers what could not be tried where the module is built, and writes a report to send back.
.DESCRIPTION
README.md beside this script says what each part does and needs. It works on a scratch database of its own, which it makes,
log-ships, fails over and removes. -WhatIf says what would be done.
.PARAMETER Part
Load, Connect, Failover, Facts, Mirror. All but Mirror without it, as far as the other parameters allow.
.PARAMETER SqlInstance
The instance to connect to; the primary of the scratch database.
.PARAMETER SecondarySqlInstance
The instance that the scratch database is log-shipped to.
.PARAMETER Share
A folder on the network that both service accounts and you can read and write.
.PARAMETER CopyFolder
The copy folder as the secondary names it.
.PARAMETER CopyFolderPath
The same folder as this machine opens it.
.PARAMETER SqlCredential
A SQL login for both; Windows integrated login without it.
.PARAMETER Database
Of the part Mirror: the database whose log backups are looked at.
.PARAMETER Since
Of the part Mirror: when the mirror's set-up began, in the principal's local time.
.PARAMETER KeepNames
Leaves names of machines, instances and shares in the report.
.EXAMPLE
./Invoke-RealKit.ps1 -Part Load
#>
[CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High')]
param(
    [ValidateSet('Load', 'Connect', 'Failover', 'Facts', 'Mirror')]
    [string[]] $Part,
    [string] $SqlInstance,
    [string] $SecondarySqlInstance,
    [string] $Share,
    [string] $CopyFolder,
    [string] $CopyFolderPath,
    [System.Management.Automation.PSCredential] $SqlCredential,
    [string] $Database = 'mgc',
    [datetime] $Since = (Get-Date).AddHours(-1),
    [switch] $KeepNames
)

$ErrorActionPreference = 'Stop'
Set-StrictMode -Version 2.0
. (Join-Path $PSScriptRoot 'ScratchDatabase.ps1')

$report = @{
    kit      = 1
    begun_utc = [DateTime]::UtcNow.ToString('o')
    facts    = New-Object System.Collections.ArrayList
    parts    = @{}
}

# One thing that was tried: what was expected, what was found, how long it took.
function Add-Fact {
    param([string] $Name, [string] $Expected, [scriptblock] $Find)
    $clock = [Diagnostics.Stopwatch]::StartNew()
    try {
        $found = (& $Find | Out-String -Width 4096).Trim()
        $held = $null
    }
    catch {
        $found = "$($_.FullyQualifiedErrorId): $($_.Exception.Message)"
        $held = $false
    }
    [void] $report.facts.Add(@{ name = $Name; expected = $Expected; found = $found; failed = ($held -eq $false); milliseconds = $clock.ElapsedMilliseconds })
    Write-Verbose "${Name}: $found"
}

function Test-Load {
    Add-Fact 'Installation' 'no check failed' {
        Test-PChatInstallation | ForEach-Object { '{0} {1}: {2}' -f $_.State, $_.Name, $_.Value }
    }
    Add-Fact 'ImportTwice' 'a second import does nothing' { Import-Module (Get-Module PersistentChatFailover).Path; [string] (Get-Module PersistentChatFailover).Version }
    Add-Fact 'Windows' 'NT 6.1 or later' { [Environment]::OSVersion.VersionString }
}

function Test-Connect {
    param([string] $Instance)
    $how = Get-ConnectParameter
    Add-Fact 'IntegratedLogin' 'sessions of master, or 2005 where NTLM is forbidden' {
        @(Get-PChatConnection $Instance -Database master -TrustServerCertificate -ErrorAction Stop).Count.ToString() + ' sessions'
    }
    if ($SqlCredential) {
        Add-Fact 'SqlLogin' 'sessions of master' { @(Get-PChatConnection $Instance -Database master @how -ErrorAction Stop).Count.ToString() + ' sessions' }
    }
    Add-Fact 'UntrustedCertificate' '2006 with a thumbprint, or sessions where the certificate is trusted' {
        $plain = $how.Clone()
        $plain.Remove('TrustServerCertificate')
        @(Get-PChatConnection $Instance -Database master @plain -ErrorAction Stop).Count.ToString() + ' sessions'
    }
    $port = try { Read-Scalar $Instance 'SELECT CAST(local_tcp_port AS nvarchar(10)) FROM sys.dm_exec_connections WHERE session_id = @@SPID' } catch { 'null' }
    if ($port -ne 'null') {
        Add-Fact 'HostAndPort' 'sessions of master' {
            @(Get-PChatConnection "$($Instance.Split('\')[0]),$port" -Database master @how -ErrorAction Stop).Count.ToString() + ' sessions'
        }
    }
    Add-Fact 'Encryption' 'version of the instance; TRUE where it insists on encryption' {
        Read-Scalar $Instance "SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) + N', encrypted: ' + encrypt_option FROM sys.dm_exec_connections WHERE session_id = @@SPID"
    }
}

# Parameters of our commands for both instances.
function Get-ConnectParameter {
    $how = @{ TrustServerCertificate = $true }
    if ($SqlCredential) { $how['SqlCredential'] = $SqlCredential }
    $how
}

function Test-Failover {
    $how = Get-ConnectParameter
    $target = $how + @{ SqlInstance = $SecondarySqlInstance; Database = $script:ScratchName }
    $folder = $target + @{ PathMap = @{ $CopyFolder = $CopyFolderPath }; JournalPath = (Join-Path $env:TEMP 'pchat-kit-journal') }
    Add-Fact 'LogShippingIsRead' 'source record, state restoring' {
        Get-PChatLogShipping @target -ErrorAction Stop | ForEach-Object { "$($_.Source), $($_.DatabaseState), redo point $($_.RedoPointLsn)" }
    }
    $list = $folder.Clone()
    $list.Remove('JournalPath')
    Add-Fact 'LogBackupsAreListed' 'three, none copied' { Get-PChatLogBackup @list -ErrorAction Stop | ForEach-Object { "$($_.Name) $($_.Status) $($_.FirstLsn) $($_.LastLsn)" } }
    $steps = @(
        @{ Name = 'Copy'; Do = { Copy-PChatLogBackup @folder -Force -ErrorAction Stop } }
        @{ Name = 'Restore'; Do = { Restore-PChatLogBackup @folder -Force -ErrorAction Stop } }
        @{ Name = 'Remove'; Do = { Remove-PChatLogShipping @folder -NoJournalCopy -Force -ErrorAction Stop } }
        @{ Name = 'LockOut'; Do = { Stop-PChatConnection @target -Force -ErrorAction Stop } }
        @{ Name = 'Recover'; Do = { Restore-PChatDatabase @folder -Force -ErrorAction Stop } }
    )
    foreach ($step in $steps) {
        $do = $step.Do
        Add-Fact $step.Name 'done, or nothing to do' {
            & $do | Where-Object { $_.PSObject.Properties['ExitCode'] } | ForEach-Object { "$($_.Outcome) ($($_.ExitCode)): $($_.Text)" }
        }
    }
    Add-Fact 'RemovalLeavesNothing' '0 records, 0 jobs' {
        Read-Scalar $SecondarySqlInstance ("SELECT CAST((SELECT COUNT(*) FROM msdb.dbo.log_shipping_secondary_databases WHERE secondary_database = N'$script:ScratchName') AS nvarchar(10)) + N' records, ' + " +
            "CAST((SELECT COUNT(*) FROM msdb.dbo.sysjobs WHERE name IN (N'LSCopy_$script:ScratchName', N'LSRestore_$script:ScratchName')) AS nvarchar(10)) + N' jobs'")
    }
    Add-Fact 'Messages' '3: every row of the scratch table' { Read-Scalar $SecondarySqlInstance "SELECT CAST(COUNT(*) AS nvarchar(10)) FROM [$script:ScratchName].dbo.messages" }
    Add-Fact 'UserAccessAfterRestore' 'told as found' { Read-Scalar $SecondarySqlInstance "SELECT user_access_desc + N', ' + state_desc FROM sys.databases WHERE name = N'$script:ScratchName'" }
}

function Test-Fact {
    Add-Fact 'RedoPointInRestoring' 'not null' {
        Read-Scalar $SecondarySqlInstance "SELECT TOP (1) CAST(redo_start_lsn AS nvarchar(30)) FROM sys.master_files WHERE database_id = DB_ID(N'$script:ScratchName') AND type = 0"
    }
    $file = Get-ScratchBackup | Select-Object -First 1
    Add-Fact 'HeaderOnlyColumns' 'every column that is read exists' {
        Read-Column $SecondarySqlInstance "RESTORE HEADERONLY FROM DISK = N'$file'"
    }
    Add-Fact 'RedoPointInStandby' 'not null' {
        $undo = (Join-Path $CopyFolder 'pchat_kit_undo.tuf')
        Invoke-Batch $SecondarySqlInstance "RESTORE LOG [$script:ScratchName] FROM DISK = N'$file' WITH STANDBY = N'$undo'"
        Read-Scalar $SecondarySqlInstance "SELECT TOP (1) CAST(redo_start_lsn AS nvarchar(30)) + N', ' + state_desc FROM sys.master_files WHERE database_id = DB_ID(N'$script:ScratchName') AND type = 0"
    }
    Add-Fact 'SecondRemoval' 'an error with its number (32014 is expected)' {
        Invoke-Batch $SecondarySqlInstance "EXEC master.dbo.sp_delete_log_shipping_secondary_database @secondary_database = N'pchat_kit_none'"
        'no error'
    }
    Add-Fact 'RemovalOnPrimary' 'an error with its number (32007 or 32010 is expected)' {
        Invoke-Batch $SqlInstance "EXEC master.dbo.sp_delete_log_shipping_primary_database @database = N'pchat_kit_none'"
        'no error'
    }
    Add-Fact 'MirrorWithoutPartner' 'an error with its number (1418 or 1468 is expected)' {
        Invoke-Batch $SecondarySqlInstance "ALTER DATABASE [$script:ScratchName] SET PARTNER = N'TCP://pchat-kit-none.invalid:5022'"
        'no error'
    }
}

# Read only: which log backups the set-up of a mirror took, as msdb has them.
function Test-Mirror {
    Add-Fact 'LogBackupsByMirrorSetUp' 'told as found' {
        $at = $Since.ToString('yyyyMMdd HH:mm:ss', [Globalization.CultureInfo]::InvariantCulture)
        Read-Column $SqlInstance ("SELECT s.type, s.is_copy_only, s.first_lsn, s.last_lsn, s.backup_start_date, m.physical_device_name FROM msdb.dbo.backupset AS s " +
            "JOIN msdb.dbo.backupmediafamily AS m ON m.media_set_id = s.media_set_id WHERE s.database_name = N'$Database' AND s.backup_start_date >= '$at' ORDER BY s.backup_start_date") -Rows
    }
}

# Replaces names that say whose machines these are.
function Hide-Name {
    param([string] $Text)
    if ($KeepNames) { return $Text }
    $names = @($SqlInstance, $SecondarySqlInstance | Where-Object { $_ } | ForEach-Object { ($_ -split '[\\,]')[0] })
    $names += @($env:COMPUTERNAME, $env:USERNAME, $env:USERDOMAIN)
    $names += @($Share, $CopyFolderPath | Where-Object { $_ -like '\\*' } | ForEach-Object { ($_ -split '\\')[2] })
    $number = 0
    foreach ($name in $names) {
        $number++
        # The longer form first: a host is told with its domain and without.
        foreach ($form in @($name, ("$name" -split '\.')[0])) {
            if ($form) { $Text = [regex]::Replace($Text, '(?i)(?<![\w.-])' + [regex]::Escape($form) + '(\.[\w.-]*\w)?(?![\w-])', "host$number") }
        }
    }
    $Text
}

if (-not (Get-Module PersistentChatFailover)) { Import-Module PersistentChatFailover }
if (-not $Part) {
    $Part = @('Load')
    if ($SqlInstance) { $Part += 'Connect' }
    if ($SecondarySqlInstance -and $Share -and $CopyFolder -and $CopyFolderPath) { $Part += 'Facts', 'Failover' }
}
$missing = @{
    Connect  = @('SqlInstance')
    Mirror   = @('SqlInstance')
    Facts    = @('SqlInstance', 'SecondarySqlInstance', 'Share', 'CopyFolder', 'CopyFolderPath')
    Failover = @('SqlInstance', 'SecondarySqlInstance', 'Share', 'CopyFolder', 'CopyFolderPath')
}
foreach ($one in $Part | Where-Object { $missing.ContainsKey($_) }) {
    foreach ($name in $missing[$one]) {
        if (-not (Get-Variable $name -ValueOnly)) { throw "The part $one needs -$name." }
    }
}
if ($Part -contains 'Load') { Test-Load }
if ($Part -contains 'Connect') { Test-Connect $SqlInstance }
if ($Part -contains 'Mirror') { Test-Mirror }
$scratch = @('Facts', 'Failover' | Where-Object { $Part -contains $_ })
if ($scratch -and $PSCmdlet.ShouldProcess("$SqlInstance and $SecondarySqlInstance", "Make, log-ship, fail over and remove the database $script:ScratchName")) {
    foreach ($one in $scratch) {
        try {
            New-Scratch
            if ($one -eq 'Facts') { Test-Fact } else { Test-Failover }
        }
        catch {
            [void] $report.facts.Add(@{ name = "Part$one"; expected = 'carried out'; found = $_.Exception.Message; failed = $true; milliseconds = 0 })
        }
        finally {
            $report.parts["${one}_left"] = @(Remove-Scratch)
        }
    }
}
# Before they become JSON, which writes quotes as codes that letters stand beside.
foreach ($fact in $report.facts) { $fact.found = Hide-Name $fact.found }
foreach ($left in @($report.parts.Keys)) { $report.parts[$left] = @($report.parts[$left] | ForEach-Object { Hide-Name $_ }) }
$report.ended_utc = [DateTime]::UtcNow.ToString('o')
$path = Join-Path (Get-Location).ProviderPath ('pchat-kit-{0:yyyyMMddTHHmmssZ}.json' -f [DateTime]::UtcNow)
Set-Content -LiteralPath $path -Encoding UTF8 -WhatIf:$false -Value (ConvertTo-Json $report -Depth 6)
$failed = @($report.facts | Where-Object { $_.failed })
Write-Output ("{0} facts, {1} of them errors; report: {2}" -f $report.facts.Count, $failed.Count, $path)
