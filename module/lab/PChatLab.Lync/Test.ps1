# Commands that test.

function Test-CsDatabase {
    [CmdletBinding(DefaultParameterSetName = 'ByDatabase', SupportsShouldProcess = $true)]
    [OutputType('Microsoft.Rtc.SyntheticTransactions.TaskOutput')]
    param(
        [Parameter(ParameterSetName = 'ByCMS', Mandatory = $true)]
        [switch] $CentralManagementDatabase,

        [Parameter(ParameterSetName = 'ByConfigured', Mandatory = $true)]
        [switch] $ConfiguredDatabases,

        [Parameter(ParameterSetName = 'ByDatabase', Mandatory = $true)]
        [string] $DatabaseType,

        [Parameter(ParameterSetName = 'ByLocal', Mandatory = $true)]
        [switch] $LocalService,

        [Parameter(ParameterSetName = 'ByCMS')]
        [Parameter(ParameterSetName = 'ByConfigured', Mandatory = $true)]
        [Parameter(ParameterSetName = 'ByDatabase', Mandatory = $true)]
        [string] $SqlServerFqdn,

        [Parameter(ParameterSetName = 'ByCMS')]
        [Parameter(ParameterSetName = 'ByDatabase')]
        [string] $SqlInstanceName,

        [string] $Report
    )
    Invoke-LabChange $PSCmdlet $PSBoundParameters "$SqlServerFqdn"
}

function Get-CsHealthMonitoringConfiguration {
    [CmdletBinding(DefaultParameterSetName = 'Identity')]
    [OutputType('Microsoft.Rtc.Management.WritableConfig.Settings.HealthMonitoring.HealthMonitoringConfiguration')]
    param(
        [Parameter(ParameterSetName = 'Identity', Position = 0)]
        [string] $Identity,

        [Parameter(ParameterSetName = 'Filter', Mandatory = $true)]
        [string] $Filter,

        [switch] $LocalStore
    )
    Invoke-LabCommand $PSCmdlet $PSBoundParameters
}

function Test-CsPersistentChatMessage {
    [CmdletBinding(DefaultParameterSetName = 'ServerPlatform')]
    [OutputType('Microsoft.Rtc.SyntheticTransactions.TaskOutput')]
    param(
        [Parameter(ParameterSetName = 'ServerPlatform', Mandatory = $true)]
        [Parameter(ParameterSetName = 'ClientPlatform')]
        [string] $TargetFqdn,

        [Parameter(ParameterSetName = 'ServerPlatform')]
        [Parameter(ParameterSetName = 'ClientPlatform', Mandatory = $true)]
        [string] $SenderSipAddress,

        [Parameter(ParameterSetName = 'ServerPlatform')]
        [Parameter(ParameterSetName = 'ClientPlatform', Mandatory = $true)]
        [string] $ReceiverSipAddress,

        [Parameter(ParameterSetName = 'ClientPlatform', Mandatory = $true)]
        [System.Management.Automation.PSCredential] $SenderCredential,

        [Parameter(ParameterSetName = 'ClientPlatform', Mandatory = $true)]
        [System.Management.Automation.PSCredential] $ReceiverCredential,

        [string] $Authentication,

        [int] $RegistrarPort,

        [string] $OutLoggerVariable,

        [string] $OutVerboseVariable,

        [switch] $Force
    )
    Invoke-LabCommand $PSCmdlet $PSBoundParameters
}
