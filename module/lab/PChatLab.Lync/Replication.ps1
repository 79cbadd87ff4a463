# The Central Management store, its replicas, and whole Front End pools.

function Get-CsManagementStoreReplicationStatus {
    [CmdletBinding(DefaultParameterSetName = 'Replica')]
    [OutputType('Microsoft.Rtc.Management.Xds.ReplicaState')]
    param(
        [Parameter(ParameterSetName = 'Replica', Position = 0)]
        [string] $ReplicaFqdn,

        [Parameter(ParameterSetName = 'Store', Mandatory = $true)]
        [switch] $CentralManagementStoreStatus
    )
    Invoke-LabCommand $PSCmdlet $PSBoundParameters
}

function Invoke-CsManagementStoreReplication {
    [CmdletBinding()]
    param(
        [Parameter(Position = 0)]
        [string] $ReplicaFqdn,

        [switch] $Force
    )
    Invoke-LabCommand $PSCmdlet $PSBoundParameters
}

function Invoke-CsManagementServerFailover {
    [CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High')]
    param(
        [string] $BackupSqlServerFqdn,

        [string] $BackupSqlInstanceName,

        [switch] $Force
    )
    Invoke-LabChange $PSCmdlet $PSBoundParameters 'Central Management store' -Force:($Force -and -not $WhatIfPreference)
}

function Invoke-CsPoolFailOver {
    [CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High')]
    param(
        [Parameter(Mandatory = $true)]
        [string] $PoolFqdn,

        [switch] $DisasterMode,

        [switch] $Force
    )
    Invoke-LabChange $PSCmdlet $PSBoundParameters $PoolFqdn -Force:($Force -and -not $WhatIfPreference)
}

function Invoke-CsPoolFailBack {
    [CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High')]
    param(
        [Parameter(Mandatory = $true)]
        [string] $PoolFqdn,

        [switch] $Force
    )
    Invoke-LabChange $PSCmdlet $PSBoundParameters $PoolFqdn -Force:($Force -and -not $WhatIfPreference)
}
