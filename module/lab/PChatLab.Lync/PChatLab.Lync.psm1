# Stand-ins for the *-Cs* commands. Parameters are declared as the pages document them; what they do is decided by the
# lab, behind its control door. Nothing here reaches a real pool.

Set-StrictMode -Version 2.0

$script:Control = $null
$script:Dialect = $null
$script:PageForm = @()
$script:LastOutcome = $null

# Parameters of every command; they stay on this side of the door.
$script:CommonParameters = @(
    'Verbose', 'Debug', 'ErrorAction', 'WarningAction', 'InformationAction', 'ProgressAction', 'ErrorVariable',
    'WarningVariable', 'InformationVariable', 'OutVariable', 'OutBuffer', 'PipelineVariable', 'WhatIf', 'Confirm'
)

<#
.SYNOPSIS
Points the stand-ins at a lab.
.DESCRIPTION
Without this command they use the address in $env:PCHAT_LAB_CONTROL and the dialect of the lab's scenario.
.PARAMETER Control
host:port of the lab's control door, as `pchat-lab serve` prints it.
.PARAMETER Dialect
Lync2013 or Sfb2015; the scenario's own when left out.
.PARAMETER PageForm
Forms that one page prints and the published syntax lacks, installed all the same; the scenario names them under
page_forms too.
#>
function Connect-PChatLabLync {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true, Position = 0)]
        [string] $Control,

        [ValidateSet('Lync2013', 'Sfb2015')]
        [string] $Dialect,

        [ValidateSet('Get-CsBackupServiceStatus -BackupModule', 'Invoke-CsDatabaseFailover -ExcludeDatabase', 'Get-CsPersistentChatActiveServer')]
        [string[]] $PageForm = @()
    )
    $script:Control = $Control
    $script:Dialect = $null
    $script:PageForm = $PageForm
    if ($PageForm -contains 'Get-CsPersistentChatActiveServer') {
        Set-Item -Path function:global:Get-CsPersistentChatActiveServer -Value $script:ActiveServerGet
    } else {
        Remove-Item -Path function:global:Get-CsPersistentChatActiveServer -ErrorAction Ignore
    }
    if ($PSBoundParameters.ContainsKey('Dialect')) {
        $script:Dialect = $Dialect
    }
}

function Get-LabControl {
    $address = $script:Control
    if (-not $address) {
        $address = $env:PCHAT_LAB_CONTROL
    }
    if (-not $address) {
        throw 'No lab is known. Run Connect-PChatLabLync, or set PCHAT_LAB_CONTROL to the address that pchat-lab prints.'
    }
    $cut = $address.LastIndexOf(':')
    if ($cut -lt 1) {
        throw "'$address' is no address of a lab; it has the form host:port."
    }
    New-Object psobject -Property @{
        HostName = $address.Substring(0, $cut)
        Port     = [int] $address.Substring($cut + 1)
    }
}

# A parameter that only some installations have.
function Get-LaterParameter {
    param([string[]] $Name, [type] $Type)
    $dictionary = New-Object System.Management.Automation.RuntimeDefinedParameterDictionary
    foreach ($one in $Name) {
        $attributes = New-Object 'System.Collections.ObjectModel.Collection[System.Attribute]'
        $attributes.Add((New-Object System.Management.Automation.ParameterAttribute))
        $parameter = New-Object System.Management.Automation.RuntimeDefinedParameter $one, $Type, $attributes
        $dictionary.Add($one, $parameter)
    }
    $dictionary
}

# Sends one line and waits for the answer in small steps, so that Ctrl+C gets through to a command that hangs.
function Send-LabRequest {
    param([string] $Line)
    $address = Get-LabControl
    $client = New-Object System.Net.Sockets.TcpClient
    try {
        $client.Connect($address.HostName, $address.Port)
        $client.NoDelay = $true
        $stream = $client.GetStream()
        $encoding = New-Object System.Text.UTF8Encoding($false)
        $bytes = $encoding.GetBytes($Line + "`n")
        $stream.Write($bytes, 0, $bytes.Length)

        $received = New-Object System.IO.MemoryStream
        $buffer = New-Object byte[] 65536
        $ended = $false
        while (-not $ended) {
            if ($stream.DataAvailable) {
                $count = $stream.Read($buffer, 0, $buffer.Length)
                $received.Write($buffer, 0, $count)
                $ended = $count -eq 0 -or $buffer[$count - 1] -eq 10
            } elseif ($client.Client.Poll(0, [System.Net.Sockets.SelectMode]::SelectRead) -and $client.Client.Available -eq 0) {
                throw 'The lab closed the connection.'
            } else {
                Start-Sleep -Milliseconds 10
            }
        }
        $encoding.GetString($received.ToArray())
    } finally {
        $client.Close()
    }
}

# A bound value as something that goes into JSON.
function ConvertTo-LabValue {
    param($Value)
    if ($null -eq $Value) {
        return $null
    }
    $plain = $Value
    if ($Value -is [psobject] -and $null -ne $Value.PSObject.BaseObject) {
        $plain = $Value.PSObject.BaseObject
    }
    if ($plain -is [System.Management.Automation.SwitchParameter]) {
        return $plain.IsPresent
    }
    if ($plain -is [string] -or $plain -is [bool] -or $plain -is [int] -or $plain -is [long]) {
        return $plain
    }
    if ($plain -is [System.Management.Automation.PSCredential]) {
        return @{ UserName = $plain.UserName }
    }
    if ($plain -is [System.Collections.IDictionary]) {
        $table = @{}
        foreach ($key in $plain.Keys) {
            $table["$key"] = ConvertTo-LabValue $plain[$key]
        }
        return $table
    }
    if ($plain -is [System.Collections.IEnumerable]) {
        $items = @()
        foreach ($item in $plain) {
            $items += , (ConvertTo-LabValue $item)
        }
        return , $items
    }
    if ($plain -is [System.Management.Automation.PSCustomObject]) {
        $table = @{}
        foreach ($property in $Value.PSObject.Properties) {
            $table[$property.Name] = ConvertTo-LabValue $property.Value
        }
        return $table
    }
    "$plain"
}

# An object of the answer, with its type name and with dates as dates.
function ConvertFrom-LabObject {
    param($Value, [string] $TypeName)
    if ($Value -is [string]) {
        return $Value
    }
    $members = [ordered] @{}
    foreach ($property in $Value.PSObject.Properties) {
        $member = $property.Value
        if ($property.Name -match '^Last(UpdateCreation|StatusReport)$' -and $member -is [string]) {
            $culture = [System.Globalization.CultureInfo]::InvariantCulture
            $style = [System.Globalization.DateTimeStyles]::AdjustToUniversal
            $member = [datetime]::Parse($member, $culture, $style)
        } elseif ($property.Name -eq 'SyncInterval') {
            $member = [timespan] $member
        } elseif ($member -is [array] -and $property.Name -eq 'BackupModules') {
            $member = @($member | ForEach-Object {
                    ConvertFrom-LabObject $_ 'Microsoft.Rtc.Management.Hadr.BackupService.BackupModules'
                })
        }
        $members[$property.Name] = $member
    }
    $result = New-Object psobject -Property $members
    $result.PSObject.TypeNames.Insert(0, $TypeName)
    $result
}

# Makes the error record of a refusal.
function New-LabError {
    param($ErrorDocument)
    $exception = New-Object System.InvalidOperationException ([string] $ErrorDocument.message)
    $category = [System.Management.Automation.ErrorCategory] ([string] $ErrorDocument.category)
    New-Object System.Management.Automation.ErrorRecord $exception, ([string] $ErrorDocument.id), $category, $null
}

# Runs a command behind the control door and writes what comes back.
function Invoke-LabCommand {
    param(
        [System.Management.Automation.PSCmdlet] $Cmdlet,
        [System.Collections.IDictionary] $Bound,
        [hashtable] $Extra = @{}
    )
    $parameters = @{}
    foreach ($name in $Bound.Keys) {
        if ($script:CommonParameters -notcontains $name) {
            $parameters[$name] = ConvertTo-LabValue $Bound[$name]
        }
    }
    foreach ($name in $Extra.Keys) {
        $parameters[$name] = $Extra[$name]
    }
    $request = @{ command = 'native'; name = $Cmdlet.MyInvocation.MyCommand.Name; parameters = $parameters }
    if ($script:Dialect) {
        $request['dialect'] = $script:Dialect
    }
    $reply = Send-LabRequest (ConvertTo-Json -InputObject $request -Depth 8 -Compress) | ConvertFrom-Json
    if (-not $reply.ok) {
        throw "The lab refused the request: $($reply.error)"
    }
    $answer = $reply.result
    $script:LastOutcome = $answer.outcome
    foreach ($warning in $answer.warnings) {
        $Cmdlet.WriteWarning($warning)
    }
    if ($answer.outcome -ne 'completed') {
        $record = New-LabError $answer.error
        if ($answer.error.category -eq 'InvalidArgument' -or $answer.error.id -eq 'CommandNotFoundException') {
            $Cmdlet.ThrowTerminatingError($record)
        }
        $Cmdlet.WriteError($record)
        return
    }
    foreach ($object in $answer.objects) {
        $Cmdlet.WriteObject((ConvertFrom-LabObject $object $answer.object_type))
    }
}

# The same for a command with -WhatIf and -Confirm: asks here, and lets a -WhatIf call be checked by the lab first.
function Invoke-LabChange {
    param(
        [System.Management.Automation.PSCmdlet] $Cmdlet,
        [System.Collections.IDictionary] $Bound,
        [string] $Target,
        [switch] $Force
    )
    if ($WhatIfPreference) {
        Invoke-LabCommand $Cmdlet $Bound @{ WhatIf = $true }
        if ($script:LastOutcome -ne 'completed') {
            return
        }
    }
    if ($Force -or $Cmdlet.ShouldProcess($Target, $Cmdlet.MyInvocation.MyCommand.Name)) {
        if (-not $WhatIfPreference) {
            Invoke-LabCommand $Cmdlet $Bound @{ Confirm = $false }
        }
    }
}

foreach ($part in 'PersistentChat', 'Topology', 'Mirror', 'Replication', 'BackupService', 'WindowsService', 'Test') {
    . (Join-Path $PSScriptRoot "$part.ps1")
}
