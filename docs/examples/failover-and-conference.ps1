<#
.SYNOPSIS
    The whole of a failover, and of a restore of conference content, unattended.
.DESCRIPTION
    For a scheduled task or an operator who must not think: Persistent Chat is failed over to the backup site, and the
    meeting content that the surviving Front End pool still has goes back to its partner. Run it in the management shell
    of a surviving server. Each part ends the script with its own exit code where it is not done; what is left is said by
    Get-PChatRun, and Resume-PChatRun goes on.

    Exit codes: 0 done, 1 failed, 2 bad input, 3 refused, 4 incomplete, 5 cancelled, 6 locked, 7 nothing to do.
.PARAMETER MirrorFileShare
    The share through which the mirror of the new primary is set up.
.PARAMETER DamagedPoolFqdn
    The Front End pool that lost its conference content; without it that part is left out.
.PARAMETER FailoverParameter
    Further parameters of Invoke-PChatFailover: -ActiveServer, -PathMap, -AddressMap, -JournalPath, logins.
.PARAMETER ConferenceParameter
    Further parameters of Invoke-PChatConferenceRestore.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory = $true)]
    [string] $MirrorFileShare,

    [string] $DamagedPoolFqdn,

    [hashtable] $FailoverParameter = @{},

    [hashtable] $ConferenceParameter = @{}
)

# The last object that says how it ended; where there is none, it failed.
function Get-ExitCode {
    param($Result)
    $last = $Result | Where-Object { $_.PSObject.Properties['ExitCode'] } | Select-Object -Last 1
    if ($null -eq $last) { 1 } else { $last.ExitCode }
}

# Is a run open that must be finished first?
if (Get-PChatRun -Open -JournalPath $FailoverParameter['JournalPath'] -WarningAction SilentlyContinue) {
    Write-Warning 'A run is open. Look at Get-PChatRun, then Resume-PChatRun or Undo-PChatRun.'
    exit 4
}

# Persistent Chat: the pool's own object tells databases, mirrors, backup and servers.
$failover = Get-CsService -PersistentChatServer | Invoke-PChatFailover -MirrorFileShare $MirrorFileShare -Force @FailoverParameter
$code = Get-ExitCode $failover
if ($code -ne 0) {
    exit $code
}

# What the pool itself says now.
$chat = Get-CsService -PersistentChatServer
Get-CsPersistentChatState | Where-Object { $_.Identity -like "*:$($chat.PoolFqdn)" } |
    ForEach-Object { Write-Output "The pool is $($_.PoolState); active: $($chat.ActiveServers -join ', ')." }

# Conference content of a damaged Front End pool.
if ($DamagedPoolFqdn) {
    $restore = Invoke-PChatConferenceRestore -DamagedPoolFqdn $DamagedPoolFqdn -AfterPoolFailback -Force @ConferenceParameter
    $code = Get-ExitCode $restore
    if ($code -ne 0) {
        exit $code
    }
    # And the pair as a whole, as far as this restore awaited it.
    $modules = $restore | Select-Object -Last 1 | Wait-PChatBackupService -BackupServiceTimeoutSeconds 600
    if (-not $modules -or $modules.IsDone -contains $false) {
        exit 4
    }
}
exit 0
