<#
.SYNOPSIS
Runs the Pester suite over the built module, in a real engine.
.DESCRIPTION
Build first: `cargo xtask module`. The last line says how many tests passed, failed and were skipped; the exit code is 0
only where none failed and some passed. Without -Path each file runs in a shell of its own, several at a time: most of a
run is waiting. What measures a second on a terminal runs alone, at the end.
.PARAMETER Path
Files or folders of tests; all of them when left out.
.PARAMETER AtOnce
How many shells run at a time.
.PARAMETER Name
Only tests whose full name matches one of these wildcards.
#>
[CmdletBinding()]
param(
    [string[]] $Path,
    [string[]] $Name,
    [ValidateRange(1, 64)] [int] $AtOnce = 4
)

$ErrorActionPreference = 'Stop'
$pester = Get-Module -ListAvailable -Name Pester | Where-Object { $_.Version.Major -eq 5 } | Sort-Object Version | Select-Object -Last 1
if (-not $pester) {
    Write-Output 'pester: not run, this shell has no Pester 5; binding, prompts, Ctrl+C and help were not tested'
    exit 0
}

# Starts a shell with this script over some of the files.
function Start-Part {
    param([string] $Part)
    $start = New-Object Diagnostics.ProcessStartInfo (Get-Process -Id $PID).Path
    $start.Arguments = "-NoLogo -NoProfile -NonInteractive -File `"$PSCommandPath`" -Path `"$Part`""
    $start.UseShellExecute = $false
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $process = [Diagnostics.Process]::Start($start)
    New-Object psobject -Property @{
        Part = $Part; Process = $process
        Out = $process.StandardOutput.ReadToEndAsync(); Err = $process.StandardError.ReadToEndAsync()
    }
}

# Runs all parts, so many at a time, prints what each said, and gives the sums.
function Invoke-Part {
    param([string[]] $Parts, [int] $AtOnce)
    $waiting = New-Object System.Collections.Queue (, $Parts)
    $running = @()
    while ($waiting.Count -or $running) {
        while ($waiting.Count -and @($running).Count -lt $AtOnce) { $running = @($running) + (Start-Part $waiting.Dequeue()) }
        $ended = @($running | Where-Object { $_.Process.HasExited })
        $running = @($running | Where-Object { $ended -notcontains $_ })
        foreach ($one in $ended) {
            # The streams end a moment after the process.
            $one.Process.WaitForExit()
            Write-Host ($one.Out.Result + $one.Err.Result)
            $sums = [regex]::Match($one.Out.Result, '(\d+) passed, (\d+) failed, (\d+) skipped\s*$')
            New-Object psobject -Property @{
                Part = $one.Part
                Passed = if ($sums.Success) { [int] $sums.Groups[1].Value } else { 0 }
                # A shell that ended without its last line did not run its tests.
                Failed = if ($sums.Success) { [Math]::Max([int] $sums.Groups[2].Value, [int] ($one.Process.ExitCode -ne 0)) } else { 1 }
                Skipped = if ($sums.Success) { [int] $sums.Groups[3].Value } else { 0 }
            }
        }
        Start-Sleep -Milliseconds 100
    }
}

if (-not $Path -and -not $Name) {
    # The longest first, so that none of them is left over at the end.
    $files = Get-ChildItem -Path $PSScriptRoot -Filter '*.Tests.ps1' | Sort-Object Length -Descending | ForEach-Object FullName
    $alone = @($files | Where-Object { $_ -like '*CtrlC.Tests.ps1' })
    $parts = @($files | Where-Object { $alone -notcontains $_ }) + (Join-Path $PSScriptRoot 'General')
    $ended = @(Invoke-Part $parts $AtOnce) + @(Invoke-Part $alone 1)
    $failed = ($ended | Measure-Object Failed -Sum).Sum
    $passed = ($ended | Measure-Object Passed -Sum).Sum
    foreach ($one in $ended | Where-Object Failed) { Write-Output "FAILED: $($one.Part)" }
    Write-Output "$passed passed, $failed failed, $(($ended | Measure-Object Skipped -Sum).Sum) skipped"
    exit [int] ($failed -gt 0 -or $passed -eq 0)
}
Import-Module $pester.Path
$configuration = New-PesterConfiguration
$configuration.Run.Path = if ($Path) { $Path -split ',' } else { $PSScriptRoot }
$configuration.Run.PassThru = $true
$configuration.Output.Verbosity = 'Normal'
if ($env:NO_COLOR) {
    $configuration.Output.RenderMode = 'Plaintext'
}
if ($Name) {
    $configuration.Filter.FullName = $Name
}
$result = Invoke-Pester -Configuration $configuration
foreach ($failed in $result.Failed) {
    Write-Output "FAILED: $($failed.ExpandedPath)"
}
# A container that cannot be read has no tests that could fail.
$broken = @($result.Containers | Where-Object { $_.Result -eq 'Failed' -and $_.FailedCount -eq 0 }).Count + $result.FailedBlocksCount
Write-Output "$($result.PassedCount) passed, $($result.FailedCount + $broken) failed, $($result.SkippedCount + $result.NotRunCount) skipped"
if ($result.FailedCount + $broken -gt 0 -or $result.PassedCount -eq 0) {
    exit 1
}
exit 0
