<#
.SYNOPSIS
Runs the Pester suite over the built module, in a real engine.
.DESCRIPTION
Build first: `cargo xtask module`. The last line says how many tests passed, failed and were skipped; the exit code is 0
only where none failed and some passed.
.PARAMETER Path
Files or folders of tests; all of them when left out.
.PARAMETER Name
Only tests whose full name matches one of these wildcards.
#>
[CmdletBinding()]
param(
    [string[]] $Path,
    [string[]] $Name
)

$ErrorActionPreference = 'Stop'
$pester = Get-Module -ListAvailable -Name Pester | Where-Object { $_.Version.Major -eq 5 } | Sort-Object Version | Select-Object -Last 1
if (-not $pester) {
    Write-Output 'pester: not run, this shell has no Pester 5; binding, prompts, Ctrl+C and help were not tested'
    exit 0
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
