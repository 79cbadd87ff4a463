<#
.SYNOPSIS
How long Import-Module takes in fresh shells, this module's and others' that are here, with the size of their files.
.DESCRIPTION
Build first: `cargo xtask module`. Each import is in a fresh shell that has imported an empty module before, so that the shell's
own first import is not counted. Elapsed time (median and best) and processor time (median) of the import alone. The exit code is
1 where this module's best elapsed time is not below the target: what else the machine does is no property of the module.
.PARAMETER Shells
How many shells a module gets.
.PARAMETER TargetMilliseconds
What an import may take.
#>
[CmdletBinding()]
param(
    [ValidateRange(1, 100)] [int] $Shells = 10,
    [int] $TargetMilliseconds = 100
)

$ErrorActionPreference = 'Stop'
$own = Join-Path (Split-Path -Parent (Split-Path -Parent $PSScriptRoot)) 'PersistentChatFailover.psd1'
$empty = Join-Path ([IO.Path]::GetTempPath()) ('pchat-empty-' + [guid]::NewGuid().ToString('N') + '.psm1')
$shell = (Get-Process -Id $PID).Path

# Elapsed and processor milliseconds of one import.
function Measure-Import {
    param([string] $Path)
    $text = "Import-Module '$empty'; `$me = [Diagnostics.Process]::GetCurrentProcess(); `$before = `$me.TotalProcessorTime; `$clock = [Diagnostics.Stopwatch]::StartNew(); " +
        "Import-Module '$Path'; `$elapsed = `$clock.Elapsed; `$me.Refresh(); '{0} {1}' -f [int] `$elapsed.TotalMilliseconds, [int] (`$me.TotalProcessorTime - `$before).TotalMilliseconds"
    $said = & $shell -NoLogo -NoProfile -NonInteractive -Command $text
    $words = "$said" -split ' '
    New-Object psobject -Property @{ Elapsed = [int] $words[0]; Processor = [int] $words[1] }
}

function Get-Median {
    param([int[]] $Numbers)
    $sorted = @($Numbers | Sort-Object)
    $sorted[[Math]::Floor(($sorted.Count - 1) / 2)]
}

$modules = @(@{ Name = 'PersistentChatFailover'; Path = $own; Files = (Join-Path (Split-Path -Parent $own) 'module') })
foreach ($peer in 'Pester', 'PSScriptAnalyzer') {
    $found = Get-Module -ListAvailable -Name $peer | Sort-Object Version | Select-Object -Last 1
    if ($found) { $modules += @{ Name = "$peer $($found.Version)"; Path = $found.Path; Files = $found.ModuleBase } }
}
Write-Output ("import: $Shells fresh shells each, PowerShell $($PSVersionTable.PSVersion), {0} processors" -f [Environment]::ProcessorCount)
Write-Output '| module | elapsed, ms | best, ms | processor, ms | assemblies and scripts, KiB |'
Write-Output '| --- | --- | --- | --- | --- |'
$missed = $false
Set-Content -LiteralPath $empty '# nothing'
foreach ($module in $modules) {
    $times = @(1..$Shells | ForEach-Object { Measure-Import $module.Path })
    $elapsed = Get-Median ($times | ForEach-Object { $_.Elapsed })
    $best = ($times | Measure-Object Elapsed -Minimum).Minimum
    $size = (Get-ChildItem $module.Files -Recurse -Include *.dll, *.psd1, *.psm1, *.ps1, *.ps1xml |
            Where-Object { $_.FullName -notmatch '[\\/](native|reference|bin|obj)[\\/]' } | Measure-Object Length -Sum).Sum
    Write-Output ('| {0} | {1} | {2} | {3} | {4} |' -f $module.Name, $elapsed, $best, (Get-Median ($times | ForEach-Object { $_.Processor })), [int] ($size / 1KB))
    if ($module.Path -eq $own -and $best -ge $TargetMilliseconds) { $missed = $true }
}
Remove-Item -LiteralPath $empty
Write-Output "import: the target, best below $TargetMilliseconds ms, is $(if ($missed) { 'missed' } else { 'met' })"
exit [int] $missed
