# Services, pools and pairs.

function Get-CsService {
    [CmdletBinding(DefaultParameterSetName = 'Identity')]
    [OutputType('Microsoft.Rtc.Management.Xds.DisplayService')]
    param(
        [Parameter(ParameterSetName = 'Identity', Position = 0)]
        [string] $Identity,

        [Parameter(ParameterSetName = 'Filter', Mandatory = $true)]
        [string] $Filter,

        [Parameter(ParameterSetName = 'PersistentChatServer', Mandatory = $true)]
        [switch] $PersistentChatServer,

        [Parameter(ParameterSetName = 'PersistentChatDatabase', Mandatory = $true)]
        [switch] $PersistentChatDatabase,

        [Parameter(ParameterSetName = 'PersistentChatComplianceDatabase', Mandatory = $true)]
        [switch] $PersistentChatComplianceDatabase,

        [Parameter(ParameterSetName = 'BackupServer', Mandatory = $true)]
        [switch] $BackupServer,

        [Parameter(ParameterSetName = 'FileStore', Mandatory = $true)]
        [switch] $FileStore,

        [Parameter(ParameterSetName = 'CentralManagement', Mandatory = $true)]
        [switch] $CentralManagement,

        [Parameter(ParameterSetName = 'Registrar', Mandatory = $true)]
        [switch] $Registrar,

        [string] $PoolFqdn
    )
    Invoke-LabCommand $PSCmdlet $PSBoundParameters
}

function Get-CsPool {
    [CmdletBinding(DefaultParameterSetName = 'Identity')]
    [OutputType('Microsoft.Rtc.Management.Deploy.Internal.Cluster')]
    param(
        [Parameter(ParameterSetName = 'Identity', Position = 0)]
        [string] $Identity,

        [Parameter(ParameterSetName = 'Filter', Mandatory = $true)]
        [string] $Filter,

        [string] $Site
    )
    Invoke-LabCommand $PSCmdlet $PSBoundParameters
}

function Get-CsPoolBackupRelationship {
    [CmdletBinding()]
    [OutputType('Microsoft.Rtc.Management.Hadr.BackupService.BackupRelation')]
    param(
        [Parameter(Mandatory = $true)]
        [string] $PoolFqdn,

        [switch] $Force,

        [switch] $LocalStore
    )
    Invoke-LabCommand $PSCmdlet $PSBoundParameters
}
