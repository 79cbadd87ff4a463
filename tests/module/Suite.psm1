# What the tests share: the built module, labs, and child shells.

Set-StrictMode -Version 2.0

$script:Root = Split-Path -Parent (Split-Path -Parent $PSScriptRoot)
$script:Labs = New-Object System.Collections.ArrayList

function Get-ProjectRoot {
    $script:Root
}

# The module's own commands, in the tests' session.
function Import-Product {
    Import-Module (Join-Path $script:Root 'PersistentChatFailover.psd1') -Global -ErrorAction Stop
    # Where whole conversations under TLS cannot be tried.
    if ($env:PCHAT_TEST_ENCRYPT) {
        $global:PSDefaultParameterValues['*-PChat*:Encrypt'] = $env:PCHAT_TEST_ENCRYPT
    }
}

# A lab with a folder for journals; Stop-TestLab ends it. -StandIn imports the stand-ins and points them at it.
function Start-TestLab {
    param([string] $Scenario = 'small', [switch] $StandIn)
    Import-Product
    $lab = Start-PChatLab -Scenario $Scenario -ErrorAction Stop
    $journal = Join-Path ([IO.Path]::GetTempPath()) ('pchat-pester-' + [guid]::NewGuid().ToString('N'))
    $lab | Add-Member -NotePropertyName JournalPath -NotePropertyValue $journal
    # With the port in the map nobody waits for the browser of a dead host: its port refuses at once.
    foreach ($instance in (Send-Lab $lab 'describe').instances | Where-Object site -EQ 'home') {
        foreach ($name in $instance.host, $instance.fqdn) { $lab.AddressMap[$name] = "$($instance.address):$($instance.port)" }
    }
    [void] $script:Labs.Add($lab)
    if ($StandIn) {
        Import-StandIn $lab
    }
    $lab
}

# A scenario of the test's own: what differs from the standard topology.
function Start-OwnLab {
    param([hashtable] $Scenario, [switch] $StandIn)
    $file = Join-Path ([IO.Path]::GetTempPath()) ('pchat-scenario-' + [guid]::NewGuid().ToString('N') + '.json')
    ConvertTo-Json $Scenario -Depth 8 | Set-Content -LiteralPath $file
    try {
        Start-TestLab -Scenario $file -StandIn:$StandIn
    } finally {
        Remove-Item -LiteralPath $file
    }
}

function Import-StandIn {
    param($Lab)
    Import-Module $Lab.StandInModule -Global -ErrorAction Stop
    Connect-PChatLabLync -Control $Lab.Control
}

function Stop-TestLab {
    param($Lab)
    foreach ($one in @($Lab)) {
        if ($one) {
            Stop-PChatLab $one
            $script:Labs.Remove($one)
            Remove-Item -LiteralPath $one.JournalPath -Recurse -Force -ErrorAction Ignore
        }
    }
}

# One command of the lab's control door.
function Send-Lab {
    param($Lab, [string] $Command, [hashtable] $Member = @{})
    $cut = $Lab.Control.LastIndexOf(':')
    $client = New-Object System.Net.Sockets.TcpClient
    try {
        $client.Connect($Lab.Control.Substring(0, $cut), [int] $Lab.Control.Substring($cut + 1))
        $stream = $client.GetStream()
        $line = (ConvertTo-Json ($Member + @{ command = $Command }) -Compress -Depth 8) + "`n"
        $bytes = [Text.Encoding]::UTF8.GetBytes($line)
        $stream.Write($bytes, 0, $bytes.Length)
        $reply = (New-Object IO.StreamReader $stream).ReadLine() | ConvertFrom-Json
    } finally {
        $client.Close()
    }
    if (-not $reply.ok) {
        throw "The lab refused ${Command}: $($reply.error)"
    }
    $reply.result
}

# Every change since the lab's start, as one text.
function Get-LabEffect {
    param($Lab)
    ConvertTo-Json @(Send-Lab $Lab 'effects') -Compress -Depth 8
}

# Parameters for splatting: of the commands about one database, of those about log backups, of a failover.
function Get-TargetParameter {
    param($Lab)
    $parameters = @{ SqlInstance = $Lab.SqlInstance; PoolFqdn = $Lab.PoolFqdn }
    foreach ($name in $Lab.Connection.Keys) {
        $parameters[$name] = $Lab.Connection[$name]
    }
    $parameters
}

function Get-FolderParameter {
    param($Lab)
    (Get-TargetParameter $Lab) + @{ PathMap = $Lab.PathMap; JournalPath = $Lab.JournalPath }
}

function Get-FailoverParameter {
    param($Lab)
    $parameters = $Lab.Failover.Clone()
    $parameters['JournalPath'] = $Lab.JournalPath
    $parameters['PoolTimeoutSeconds'] = 60
    $parameters
}

function Get-RunParameter {
    param($Lab)
    $parameters = $Lab.Connection.Clone()
    $parameters['JournalPath'] = $Lab.JournalPath
    $parameters['PathMap'] = $Lab.PathMap
    $parameters
}

# Runs script text with -File in a shell of its own. $lab there is the lab given here; -Bare imports nothing. The result has
# ExitCode and Output.
function Invoke-Child {
    param([string] $Script, $Lab, [switch] $StandIn, [switch] $Bare, [hashtable] $Environment = @{}, [int] $TimeoutSeconds = 90)
    $child = Start-Child -Script $Script -Lab $Lab -StandIn:$StandIn -Bare:$Bare -Environment $Environment
    Wait-Child $child -TimeoutSeconds $TimeoutSeconds
}

function Start-Child {
    param([string] $Script, $Lab, [switch] $StandIn, [switch] $Bare, [hashtable] $Environment = @{})
    $file = Join-Path ([IO.Path]::GetTempPath()) ('pchat-child-' + [guid]::NewGuid().ToString('N') + '.ps1')
    $head = if ($Bare) { @() } else { @("Import-Module '$(Join-Path $PSScriptRoot 'Suite.psm1')' -DisableNameChecking", 'Import-Product') }
    if ($Lab) {
        $head += "`$lab = Connect-TestLab '$($Lab.Control)' '$($Lab.JournalPath)'"
    }
    if ($StandIn) {
        $head += 'Import-StandIn $lab'
    }
    Set-Content -LiteralPath $file -Value (($head + $Script) -join "`n")
    $start = New-Object Diagnostics.ProcessStartInfo (Get-Process -Id $PID).Path
    $start.Arguments = "-NoLogo -NoProfile -NonInteractive -File `"$file`""
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $start.EnvironmentVariables['NO_COLOR'] = '1'
    foreach ($name in $Environment.Keys) { $start.EnvironmentVariables[$name] = $Environment[$name] }
    $process = [Diagnostics.Process]::Start($start)
    New-Object psobject -Property @{
        Process = $process; File = $file
        Out = $process.StandardOutput.ReadToEndAsync(); Err = $process.StandardError.ReadToEndAsync()
    }
}

function Wait-Child {
    param($Child, [int] $TimeoutSeconds = 90)
    $ended = $Child.Process.WaitForExit($TimeoutSeconds * 1000)
    if (-not $ended) {
        $Child.Process.Kill()
        $Child.Process.WaitForExit()
    }
    Remove-Item -LiteralPath $Child.File -ErrorAction Ignore
    New-Object psobject -Property @{
        ExitCode = if ($ended) { $Child.Process.ExitCode } else { 'timed out' }
        Output = $Child.Out.Result + $Child.Err.Result
    }
}

# In a child: the lab that another shell started.
function Connect-TestLab {
    param([string] $Control, [string] $JournalPath)
    $probe = New-Object psobject -Property @{ Control = $Control }
    $about = Send-Lab $probe 'describe'
    $addresses = @{}
    foreach ($entry in $about.address_map) { $addresses[$entry.name] = $entry.address }
    foreach ($instance in $about.instances | Where-Object site -EQ 'home') {
        foreach ($name in $instance.host, $instance.fqdn) { $addresses[$name] = "$($instance.address):$($instance.port)" }
    }
    $paths = @{}
    foreach ($entry in $about.path_map) {
        $server = if ($entry.PSObject.Properties['server']) { $entry.server }
        if (-not $server -or $server -eq 'B') { $paths[$entry.from] = $entry.to }
    }
    $password = ConvertTo-SecureString $about.logins[0].password -AsPlainText -Force
    $credential = New-Object pscredential $about.logins[0].name, $password
    $connection = @{ SqlCredential = $credential; AddressMap = $addresses; TrustServerCertificate = $true }
    New-Object psobject -Property @{
        Control = $Control; JournalPath = $JournalPath; SqlInstance = 'B\RTC'; PoolFqdn = 'pchat.contoso.com'
        Connection = $connection; PathMap = $paths; AddressMap = $addresses; SqlCredential = $credential
        StandInModule = Join-Path $script:Root 'module/lab/PChatLab.Lync/PChatLab.Lync.psd1'
        Failover = $connection + @{
            SqlInstance = 'B\RTC'; PoolFqdn = 'pchat.contoso.com'; PathMap = $paths
            ActiveServer = 's3.contoso.com', 's4.contoso.com'; MirrorFileShare = '\\fs2\mirror'
            PrimarySqlInstance = 'P\RTC'; PrimaryMirrorSqlInstance = 'PM\RTC'; BackupMirrorSqlInstance = 'BM\RTC'
        }
    }
}

# The last object that says how it ended, as the documented script takes it.
function Select-Result {
    param([Parameter(ValueFromPipeline = $true)] $InputObject)
    process {
        if ($InputObject.PSObject.Properties['ExitCode']) { $InputObject }
    }
}

Export-ModuleMember -Function *
