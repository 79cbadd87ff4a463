<#
.SYNOPSIS
    The whole of a failover, and of a restore of conference content, unattended.
.DESCRIPTION
    For a scheduled task or an operator who must not think: Persistent Chat is failed over to the backup site, and the
    meeting content that the surviving Front End pool still has goes back to its partner. Run it in the management shell
    of a surviving server. The two parts do not rest on each other: the second one runs however the first one ended, and a
    second call of the script leaves alone what is done. What is left is said by Get-PChatRun, and Resume-PChatRun goes on.

    Exit codes: 0 done, 1 failed, 2 bad input, 3 refused, 4 incomplete, 5 cancelled, 6 locked, 7 nothing to do. Of several
    results the worst one counts.
.PARAMETER MirrorFileShare
    The share through which the mirror of the new primary is set up.
.PARAMETER DamagedPoolFqdn
    The Front End pool that lost its conference content; without it that part is left out.
.PARAMETER AfterPoolFailback
    Your word that the failback of that pool's users has ended, or that there was none.
.PARAMETER HealthCheck
    Waits afterwards until both directions of all modules of the pair are well, too.
.PARAMETER HealthCheckTimeoutSeconds
    The limit on that wait; four hours without it.
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

    [switch] $AfterPoolFailback,

    [switch] $HealthCheck,

    [ValidateRange(1, 604800)]
    [int] $HealthCheckTimeoutSeconds = 14400,

    [hashtable] $FailoverParameter = @{},

    [hashtable] $ConferenceParameter = @{}
)

# From the best to the worst: what was begun and not finished comes behind what was never begun.
$order = 0, 7, 5, 6, 3, 2, 4, 1

# The worst code of all results; where nothing says how it ended, it failed.
function Get-WorstCode {
    param($Result)
    $codes = @($Result | Where-Object { $_ -and $_.PSObject.Properties['ExitCode'] } | ForEach-Object { [int] $_.ExitCode })
    if ($codes.Count -eq 0) {
        return 1
    }
    $order[($codes | ForEach-Object { [array]::IndexOf($order, $_) } | Measure-Object -Maximum).Maximum]
}

# An open run of this kind must be finished first.
function Test-OpenRun {
    param([string[]] $Kind, $JournalPath)
    $open = @(Get-PChatRun -Open -JournalPath $JournalPath -WarningAction SilentlyContinue | Where-Object { $Kind -contains $_.Kind })
    foreach ($run in $open) {
        Write-Warning "The run $($run.RunId) is open. Look at Get-PChatRun, then Resume-PChatRun or Undo-PChatRun."
    }
    $open.Count -gt 0
}

# An error of one part must not end the other, whatever the caller prefers.
$ErrorActionPreference = 'Continue'
$codes = @()

# Persistent Chat: each pool's own object tells databases, mirrors, backup and servers.
if (Test-OpenRun 'failover', 'failback', 'planned_switch' $FailoverParameter['JournalPath']) {
    $codes += 4
} else {
    $failedOver = @(Get-CsPersistentChatState | Where-Object { "$($_.PoolState)" -eq 'FailedOver' } | ForEach-Object { "$($_.Identity)".Split(':')[-1].Trim() })
    $pools = @()
    $pools = @(Get-CsService -PersistentChatServer)
    if ($pools.Count -eq 0) {
        Write-Warning 'Get-CsService shows no Persistent Chat pool: nothing was failed over.'
        $codes += 1
    }
    foreach ($pool in $pools) {
        if ($failedOver -contains "$($pool.PoolFqdn)") {
            Write-Output "$($pool.PoolFqdn) is failed over already."
            $codes += 7
        } else {
            $codes += Get-WorstCode @($pool | Invoke-PChatFailover -MirrorFileShare $MirrorFileShare -Force @FailoverParameter)
        }
    }
    # What the pools themselves say now.
    $states = @(Get-CsPersistentChatState)
    foreach ($pool in Get-CsService -PersistentChatServer) {
        $states | Where-Object { $_.Identity -like "*:$($pool.PoolFqdn)" } |
            ForEach-Object { Write-Output "The pool is $($_.PoolState); active: $($pool.ActiveServers -join ', ')." }
    }
}

# Conference content of a damaged Front End pool.
if ($DamagedPoolFqdn) {
    if (Test-OpenRun 'conference_restore' $ConferenceParameter['JournalPath']) {
        $codes += 4
    } else {
        $restore = @(Invoke-PChatConferenceRestore -DamagedPoolFqdn $DamagedPoolFqdn -AfterPoolFailback:$AfterPoolFailback -Force @ConferenceParameter)
        $code = Get-WorstCode $restore
        $codes += $code
        $restore | Where-Object { $_.PSObject.Properties['Outcome'] } | ForEach-Object { Write-Output "Conference content: $($_.Outcome). $($_.Text)" }
        # The restore has waited for the way that it is about; this is for the way back, and for the other modules.
        if ($HealthCheck -and $code -eq 0) {
            $failed = @()
            $modules = @($restore | Select-Object -Last 1 |
                    Wait-PChatBackupService -HealthCheck -BackupServiceTimeoutSeconds $HealthCheckTimeoutSeconds -ErrorVariable failed)
            if ($failed.Count -gt 0) {
                $codes += Get-WorstCode @($failed | ForEach-Object { $_.Exception })
            } elseif ($modules.Count -eq 0 -or @($modules | Where-Object { -not $_.IsDone }).Count -gt 0) {
                $codes += 4
            }
        }
    }
}

# Nothing to do beside something done is done.
$worst = Get-WorstCode @($codes | ForEach-Object { New-Object psobject -Property @{ ExitCode = $_ } })
if ($worst -eq 7 -and $codes -contains 0) {
    $worst = 0
}
exit $worst
