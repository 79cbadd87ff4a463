<#
.SYNOPSIS
The project's door for people who live in PowerShell: hands its switches to `cargo xtask` and adds nothing.
.EXAMPLE
./build.ps1 -Drill
#>
[CmdletBinding()]
param(
    [switch] $Drill,
    [switch] $Test,
    [switch] $Lint,
    [switch] $Bench,
    [switch] $Package,
    [switch] $Module,
    [Parameter(ValueFromRemainingArguments = $true)]
    [string[]] $Rest
)

$verbs = @()
if ($Drill) { $verbs += 'drill' }
if ($Test) { $verbs += 'test' }
if ($Lint) { $verbs += 'lint' }
if ($Bench) { $verbs += 'bench' }
if ($Package) { $verbs += 'package' }
if ($Module) { $verbs += 'module' }
if ($verbs.Count -eq 0) {
    Write-Output 'Usage: ./build.ps1 -Drill | -Test | -Lint | -Bench | -Package | -Module'
    exit 2
}
$root = Split-Path -Parent $MyInvocation.MyCommand.Path
Push-Location -LiteralPath $root
try {
    foreach ($verb in $verbs) {
        & cargo xtask $verb @Rest
        if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
    }
}
finally {
    Pop-Location
}
exit 0
