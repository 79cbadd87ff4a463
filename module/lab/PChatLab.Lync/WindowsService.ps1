# Windows services of the simulated machines.

# Switches that only the later version has.
function Get-LaterSwitch {
    param([string[]] $Name)
    Get-LaterParameter @($Name | Where-Object { $script:Dialect -eq 'Sfb2015' }) ([System.Management.Automation.SwitchParameter])
}

function Get-CsWindowsService {
    [CmdletBinding()]
    [OutputType('Microsoft.Rtc.Management.Deployment.Core.NTService')]
    param(
        [Parameter(Position = 0)]
        [string] $Name,

        [string] $ComputerName,

        [switch] $ExcludeActivityLevel,

        [string] $Report
    )
    Invoke-LabCommand $PSCmdlet $PSBoundParameters
}

function Start-CsWindowsService {
    [CmdletBinding(DefaultParameterSetName = 'Name', SupportsShouldProcess = $true)]
    param(
        [Parameter(ParameterSetName = 'Name', Position = 0)]
        [string] $Name,

        [Parameter(ParameterSetName = 'Name')]
        [string] $ComputerName,

        [Parameter(ParameterSetName = 'InputObject', Mandatory = $true, ValueFromPipeline = $true)]
        [PSTypeName('Microsoft.Rtc.Management.Deployment.Core.NTService')]
        [psobject] $InputObject,

        [switch] $NoWait,

        [switch] $Force,

        [string] $Report
    )
    process {
        Invoke-LabChange $PSCmdlet $PSBoundParameters (Get-ServiceTarget $Name $ComputerName $InputObject)
    }
}

function Stop-CsWindowsService {
    [CmdletBinding(DefaultParameterSetName = 'Name', SupportsShouldProcess = $true)]
    param(
        [Parameter(ParameterSetName = 'Name', Position = 0)]
        [string] $Name,

        [Parameter(ParameterSetName = 'Name')]
        [string] $ComputerName,

        [Parameter(ParameterSetName = 'InputObject', Mandatory = $true, ValueFromPipeline = $true)]
        [PSTypeName('Microsoft.Rtc.Management.Deployment.Core.NTService')]
        [psobject] $InputObject,

        [switch] $NoWait,

        [switch] $Force,

        [switch] $Graceful,

        [string] $Report
    )
    dynamicparam {
        Get-LaterSwitch 'LeaveClsAgentRunning', 'LeaveWebServerRunning'
    }
    process {
        Invoke-LabChange $PSCmdlet $PSBoundParameters (Get-ServiceTarget $Name $ComputerName $InputObject)
    }
}

function Get-ServiceTarget {
    param($Name, $ComputerName, $InputObject)
    if ($null -ne $InputObject) {
        return "$($InputObject.Name) on $($InputObject.ComputerName)"
    }
    "$Name on $ComputerName"
}
