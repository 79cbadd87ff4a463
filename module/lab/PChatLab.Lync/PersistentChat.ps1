# Pool state and active list.

function Get-CsPersistentChatState {
    [CmdletBinding(DefaultParameterSetName = 'Identity')]
    [OutputType('Microsoft.Rtc.Management.WritableConfig.Settings.PersistentChat.PersistentChatState')]
    param(
        [Parameter(ParameterSetName = 'Identity', Position = 0)]
        [string] $Identity,

        [Parameter(ParameterSetName = 'Filter')]
        [string] $Filter,

        [switch] $LocalStore
    )
    Invoke-LabCommand $PSCmdlet $PSBoundParameters
}

function Set-CsPersistentChatState {
    [CmdletBinding(DefaultParameterSetName = 'Identity', SupportsShouldProcess = $true)]
    param(
        [Parameter(ParameterSetName = 'Identity', Position = 0)]
        [string] $Identity,

        [Parameter(ParameterSetName = 'Instance', ValueFromPipeline = $true)]
        [psobject] $Instance,

        [string] $PoolState,

        [switch] $Force
    )
    process {
        $target = $Identity
        if ($PSCmdlet.ParameterSetName -eq 'Instance' -and $null -ne $Instance) {
            $target = "$($Instance.Identity)"
        }
        Invoke-LabChange $PSCmdlet $PSBoundParameters $target
    }
}

function Set-CsPersistentChatActiveServer {
    [CmdletBinding(DefaultParameterSetName = 'Explicit', SupportsShouldProcess = $true)]
    param(
        [Parameter(Position = 0)]
        [string] $Identity,

        [Parameter(ParameterSetName = 'Explicit', Mandatory = $true)]
        [AllowNull()]
        [object] $ActiveServers,

        [Parameter(ParameterSetName = 'Swap', Mandatory = $true)]
        [switch] $Swap,

        [switch] $Force
    )
    Invoke-LabChange $PSCmdlet $PSBoundParameters $Identity
}

# Some page names this command, and no list of commands has it: Connect-PChatLabLync -PageForm installs it.
$script:ActiveServerGet = {
    [CmdletBinding()]
    param([string] $Identity)
    Invoke-LabCommand $PSCmdlet $PSBoundParameters
}
