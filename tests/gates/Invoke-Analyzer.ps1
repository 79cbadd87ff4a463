<#
.SYNOPSIS
Holds every script that ships to the syntax and the commands of PowerShell 3.0 to 7.
.DESCRIPTION
Uses PSScriptAnalyzer's rules PSUseCompatibleSyntax and PSUseCompatibleCommands, first over planted faults. Where the
analyzer is not found, one line says so.
#>
[CmdletBinding()]
param()

$ErrorActionPreference = 'Stop'
$root = Split-Path -Parent (Split-Path -Parent $PSScriptRoot)
$analyzer = Get-Module -ListAvailable -Name PSScriptAnalyzer | Sort-Object Version | Select-Object -Last 1
if (-not $analyzer) {
    Write-Output 'analyzer: not run, this shell has no PSScriptAnalyzer'
    exit 0
}
Import-Module $analyzer.Path
$profiles = Get-ChildItem (Join-Path $analyzer.ModuleBase 'compatibility_profiles') -Filter *.json |
    Where-Object { $_.BaseName -match '^win-8_|_7\.' } | ForEach-Object { $_.BaseName }
$settings = @{
    IncludeRules = 'PSUseCompatibleSyntax', 'PSUseCompatibleCommands'
    Rules        = @{
        PSUseCompatibleSyntax   = @{ Enable = $true; TargetVersions = '3.0', '4.0', '5.1', '7.0' }
        PSUseCompatibleCommands = @{
            Enable         = $true
            TargetProfiles = @($profiles)
            # Ours, the stand-ins, and what is asked for before it is used.
            IgnoreCommands = @((Import-PowerShellDataFile (Join-Path $root 'PersistentChatFailover.psd1')).CmdletsToExport) + 'cargo'
        }
    }
}

# Findings of a text, as `Where:line: what`.
function Get-Finding {
    param([string] $Text, [string] $Where)
    $errors = $null
    [void] [Management.Automation.Language.Parser]::ParseInput($Text, [ref] $null, [ref] $errors)
    foreach ($one in $errors) { "${Where}: $($one.Message)" }
    Invoke-ScriptAnalyzer -ScriptDefinition $Text -Settings $settings | ForEach-Object { "${Where}:$($_.Line): $($_.Message)" }
}

$planted = @{
    'a class'              = 'class Planted { [string] $Name }'
    'a newer operator'     = '$a = $null ?? 1'
    'a newer command'      = 'Get-ComputerInfo'
    'a newer parameter'    = 'Get-Content -Path a.bin -AsByteStream'
}
foreach ($name in $planted.Keys) {
    if (-not (Get-Finding $planted[$name] $name)) {
        Write-Output "analyzer: FAILED: a planted fault passed: $name"
        exit 1
    }
}
Write-Output "analyzer: $($planted.Count) planted faults are refused"

$found = @()
$seen = 0
$scripts = @(Get-Item (Join-Path $root 'build.ps1'), (Join-Path $root 'PersistentChatFailover.psd1'))
foreach ($folder in 'module', 'docs', 'tests/real') {
    $at = Join-Path $root $folder
    if (Test-Path $at) {
        $scripts += @(Get-ChildItem $at -Recurse -Include *.ps1, *.psm1, *.psd1 | Where-Object { $_.FullName -notmatch '[\\/](native|bin|obj)[\\/]' })
    }
}
foreach ($script in $scripts) {
    $seen++
    $found += @(Get-Finding (Get-Content -Raw -LiteralPath $script.FullName) $script.FullName.Substring($root.Length + 1))
}
foreach ($format in Get-ChildItem (Join-Path $root 'module') -Filter *.ps1xml) {
    [xml] $views = Get-Content -Raw -LiteralPath $format.FullName
    foreach ($block in $views.SelectNodes('//ScriptBlock')) {
        $seen++
        $found += @(Get-Finding $block.InnerText "$($format.Name): $($block.InnerText.Trim())")
    }
}
$found | ForEach-Object { Write-Output "analyzer: $_" }
Write-Output "analyzer: $seen scripts and script blocks, $($found.Count) findings, for $($profiles.Count) hosts and 4 versions of the syntax"
if ($found.Count -gt 0 -or $profiles.Count -lt 5) { exit 1 }
exit 0
