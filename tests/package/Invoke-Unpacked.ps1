<#
.SYNOPSIS
Tries the unpacked package in a fresh shell: found by name, whole, quick to import, the drill run from it.
.PARAMETER Modules
The folder of modules that the zip was unpacked into. The shell finds the module there and nowhere else.
.PARAMETER Encrypt
The drill's own: Optional where full TLS cannot be tried.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory = $true)] [string] $Modules,
    [ValidateSet('Mandatory', 'Optional', 'Strict')] [string] $Encrypt = 'Mandatory'
)

$ErrorActionPreference = 'Stop'
Set-StrictMode -Version 2.0

# A fact of the package; the first that does not hold ends the script.
function Assert-That {
    param([bool] $Holds, [string] $What)
    if (-not $Holds) {
        Write-Output "package: FAILED: $What"
        exit 1
    }
    Write-Output "package: $What"
}

$env:PSModulePath = $Modules + [IO.Path]::PathSeparator + (Join-Path $PSHOME 'Modules')
$clock = [Diagnostics.Stopwatch]::StartNew()
Import-Module PersistentChatFailover
$elapsed = $clock.ElapsedMilliseconds
$module = Get-Module PersistentChatFailover
Assert-That $module.ModuleBase.StartsWith($Modules) "imported by name from $($module.ModuleBase.Substring($Modules.Length + 1)), in $elapsed ms"
$native = @([Diagnostics.Process]::GetCurrentProcess().Modules | Where-Object { $_.FileName -like "$Modules*" -and $_.FileName -match '(lib)?pchat\.(so|dll)$' })
Assert-That ($native.Count -eq 0) 'the import loads no native library'

$checks = @(Test-PChatInstallation)
$files = $checks | Where-Object { $_.Name -eq 'Files' }
Assert-That ($files.State -eq 'passed') "every file is as it was packed: $($files.Value) $($files.Message)"
$failed = @($checks | Where-Object { $_.State -eq 'failed' } | ForEach-Object { "$($_.Name): $($_.Message)" })
Assert-That ($failed.Count -eq 0) "no check of the installation fails $($failed -join '; ')"
Assert-That ((Get-Help Invoke-PChatFailover).Synopsis -notlike 'Invoke-PChatFailover*') 'help is found'
Assert-That ([bool] ((Get-Help about_PersistentChatFailover | Out-String) -match 'Persistent Chat')) 'the about topic is found'

$drill = Invoke-PChatDrill -Encrypt $Encrypt -WarningAction SilentlyContinue | Where-Object { $_.PSObject.Properties['ExitCode'] } | Select-Object -Last 1
Assert-That ($null -ne $drill -and $drill.ExitCode -eq 0) "the drill ended with exit code $($drill.ExitCode): $($drill.Text)"
Write-Output 'package: tried to the end'
exit 0
