# Mirrors. Installing one and swapping roles asks first, as documented.

function Install-CsMirrorDatabase {
    [CmdletBinding(DefaultParameterSetName = 'ByDatabase', SupportsShouldProcess = $true, ConfirmImpact = 'High')]
    param(
        [Parameter(ParameterSetName = 'ByConfigured', Mandatory = $true)]
        [switch] $ConfiguredDatabases,

        [Parameter(ParameterSetName = 'ByDatabase', Mandatory = $true)]
        [string] $DatabaseType,

        [Parameter(Mandatory = $true)]
        [string] $FileShare,

        [Parameter(Mandatory = $true)]
        [string] $SqlServerFqdn,

        [Parameter(ParameterSetName = 'ByDatabase')]
        [string] $SqlInstanceName,

        [Parameter(ParameterSetName = 'ByConfigured')]
        [switch] $ForDefaultInstance,

        [Parameter(ParameterSetName = 'ByConfigured')]
        [string] $ForInstance,

        [hashtable] $DatabasePathMap,

        [switch] $DropExistingDatabasesOnMirror,

        [string[]] $ExcludeDatabaseList,

        [string] $Report
    )
    Invoke-LabChange $PSCmdlet $PSBoundParameters "$SqlServerFqdn\$SqlInstanceName"
}

function Uninstall-CsMirrorDatabase {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param(
        [Parameter(Mandatory = $true)]
        [string] $DatabaseType,

        [Parameter(Mandatory = $true)]
        [string] $SqlServerFqdn,

        [string] $SqlInstanceName,

        [switch] $DropExistingDatabasesOnMirror,

        [string] $Report
    )
    Invoke-LabChange $PSCmdlet $PSBoundParameters "$SqlServerFqdn\$SqlInstanceName"
}

function Invoke-CsDatabaseFailover {
    [CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High')]
    param(
        [Parameter(Mandatory = $true)]
        [string] $PoolFqdn,

        [Parameter(Mandatory = $true)]
        [string] $DatabaseType,

        [Parameter(Mandatory = $true)]
        [string] $NewPrincipal,

        [string[]] $ExcludeDatabaseList,

        [switch] $Force,

        [switch] $LocalStore,

        [string] $Report
    )
    dynamicparam {
        Get-LaterParameter @('ExcludeDatabase' | Where-Object { $script:PageForm -contains 'Invoke-CsDatabaseFailover -ExcludeDatabase' }) ([string[]])
    }
    process {
        Invoke-LabChange $PSCmdlet $PSBoundParameters $PoolFqdn -Force:($Force -and -not $WhatIfPreference)
    }
}

function Get-CsDatabaseMirrorState {
    [CmdletBinding()]
    [OutputType('Microsoft.Rtc.Management.Deployment.DatabaseMirrorState')]
    param(
        [Parameter(Mandatory = $true)]
        [string] $PoolFqdn,

        [string] $DatabaseType,

        [switch] $LocalStore,

        [string] $Report
    )
    Invoke-LabCommand $PSCmdlet $PSBoundParameters
}
