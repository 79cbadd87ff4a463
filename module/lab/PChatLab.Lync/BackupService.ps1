# The Front End pools' backup service. The sync has neither -WhatIf nor -Confirm, and emits nothing.

function Invoke-CsBackupServiceSync {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true, ValueFromPipeline = $true)]
        [string] $PoolFqdn,

        [string] $BackupModule,

        [switch] $Force
    )
    dynamicparam {
        Get-LaterParameter @('BypassDualWrite' | Where-Object { $script:PageForm -contains 'Invoke-CsBackupServiceSync -BypassDualWrite' }) ([bool])
    }
    process {
        Invoke-LabCommand $PSCmdlet $PSBoundParameters
    }
}

function Get-CsBackupServiceStatus {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)]
        [string] $PoolFqdn,

        [string] $Category,

        [switch] $Force
    )
    dynamicparam {
        Get-LaterParameter @('BackupModule' | Where-Object { $script:PageForm -contains 'Get-CsBackupServiceStatus -BackupModule' }) ([string])
    }
    process {
        Invoke-LabCommand $PSCmdlet $PSBoundParameters
    }
}

function Get-CsBackupServiceConfiguration {
    [CmdletBinding(DefaultParameterSetName = 'Identity')]
    [OutputType('Microsoft.Rtc.Management.WritableConfig.Settings.BackupService.BackupServiceConfiguration')]
    param(
        [Parameter(ParameterSetName = 'Identity', Position = 0)]
        [string] $Identity,

        [Parameter(ParameterSetName = 'Filter')]
        [string] $Filter,

        [switch] $LocalStore
    )
    Invoke-LabCommand $PSCmdlet $PSBoundParameters
}

function Debug-CsInterPoolReplication {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [string] $PoolFqdn,

        [string] $BackupModule,

        [switch] $Force
    )
    Invoke-LabCommand $PSCmdlet $PSBoundParameters
}
