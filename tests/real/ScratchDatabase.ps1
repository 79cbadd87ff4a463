# The kit's scratch database: made on the first instance, log-shipped to the second by Microsoft's own procedures, removed.
# Read by Invoke-RealKit.ps1, whose parameters it uses.

$script:ScratchName = 'pchat_kit'
$script:ScratchMade = @{}

# A connection as Windows PowerShell's own client makes it: an implementation that is not ours.
function Open-Connection {
    param([string] $Instance)
    $text = "Data Source=$Instance;Initial Catalog=master;Connect Timeout=15;Application Name=PersistentChatFailover kit;Pooling=false;"
    if ($SqlCredential) {
        $text += "User ID=$($SqlCredential.UserName);Password=$($SqlCredential.GetNetworkCredential().Password)"
    }
    else {
        $text += 'Integrated Security=SSPI'
    }
    $connection = New-Object System.Data.SqlClient.SqlConnection $text
    $connection.Open()
    $connection
}

function Invoke-Batch {
    param([string] $Instance, [string] $Text)
    $connection = Open-Connection $Instance
    try {
        $command = $connection.CreateCommand()
        $command.CommandTimeout = 0
        $command.CommandText = $Text
        try { [void] $command.ExecuteNonQuery() }
        catch [System.Data.SqlClient.SqlException] { throw "SQL Server error $($_.Exception.Number): $($_.Exception.Message)" }
    }
    finally { $connection.Dispose() }
}

function Read-Scalar {
    param([string] $Instance, [string] $Text)
    $connection = Open-Connection $Instance
    try {
        $command = $connection.CreateCommand()
        $command.CommandText = $Text
        $value = $command.ExecuteScalar()
        if ($value -is [DBNull] -or $null -eq $value) { 'null' } else { [string] $value }
    }
    finally { $connection.Dispose() }
}

# Names and types of the columns of an answer, or its rows.
function Read-Column {
    param([string] $Instance, [string] $Text, [switch] $Rows)
    $connection = Open-Connection $Instance
    try {
        $command = $connection.CreateCommand()
        $command.CommandTimeout = 300
        $command.CommandText = $Text
        $reader = $command.ExecuteReader()
        if ($Rows) {
            while ($reader.Read()) { (0..($reader.FieldCount - 1) | ForEach-Object { "$($reader.GetName($_))=$($reader.GetValue($_))" }) -join '; ' }
        }
        else {
            (0..($reader.FieldCount - 1) | ForEach-Object { "$($reader.GetName($_)) $($reader.GetDataTypeName($_))" }) -join ', '
        }
    }
    finally { $connection.Dispose() }
}

function Get-ScratchBackup {
    $script:ScratchMade['log_backups']
}

# Database, full backup, copy on the secondary, log shipping, three log backups of which none is copied.
function New-Scratch {
    $name = $script:ScratchName
    foreach ($instance in $SqlInstance, $SecondarySqlInstance) {
        if ((Read-Scalar $instance "SELECT DB_ID(N'$name')") -ne 'null') {
            throw "A database $name is there already on $instance. The kit touches nothing that it did not make."
        }
    }
    $script:ScratchMade = @{ log_backups = New-Object System.Collections.ArrayList }
    Invoke-Batch $SqlInstance "CREATE DATABASE [$name]"
    $script:ScratchMade['primary'] = $true
    Invoke-Batch $SqlInstance "ALTER DATABASE [$name] SET RECOVERY FULL"
    Invoke-Batch $SqlInstance "CREATE TABLE [$name].dbo.messages (id int NOT NULL PRIMARY KEY, body nvarchar(200) NOT NULL)"
    $full = "$Share\$name.bak"
    $script:ScratchMade['full'] = $full
    Invoke-Batch $SqlInstance "BACKUP DATABASE [$name] TO DISK = N'$full' WITH INIT, CHECKSUM"
    $data = Read-Scalar $SecondarySqlInstance "SELECT LEFT(physical_name, LEN(physical_name) - CHARINDEX(N'\', REVERSE(physical_name))) FROM sys.master_files WHERE database_id = 1 AND file_id = 1"
    $script:ScratchMade['secondary'] = $true
    Invoke-Batch $SecondarySqlInstance "RESTORE DATABASE [$name] FROM DISK = N'$full' WITH NORECOVERY, MOVE N'$name' TO N'$data\$name.mdf', MOVE N'${name}_log' TO N'$data\${name}_log.ldf'"
    Add-ScratchLogShipping
    for ($i = 1; $i -le 3; $i++) {
        Invoke-Batch $SqlInstance "INSERT INTO [$name].dbo.messages (id, body) VALUES ($i, N'message $i')"
        $file = '{0}\{1}_{2:yyyyMMddHHmmss}.trn' -f $Share, $name, [DateTime]::UtcNow
        Invoke-Batch $SqlInstance "BACKUP LOG [$name] TO DISK = N'$file' WITH INIT, CHECKSUM"
        [void] $script:ScratchMade['log_backups'].Add($file)
        Start-Sleep -Milliseconds 1100
    }
}

# The record on the secondary alone: its jobs stay disabled, so that nothing runs beside the kit.
function Add-ScratchLogShipping {
    $name = $script:ScratchName
    Invoke-Batch $SecondarySqlInstance @"
DECLARE @copy uniqueidentifier, @restore uniqueidentifier, @id uniqueidentifier
EXEC master.dbo.sp_add_log_shipping_secondary_primary @primary_server = N'$SqlInstance', @primary_database = N'$name',
    @backup_source_directory = N'$Share', @backup_destination_directory = N'$CopyFolder',
    @copy_job_name = N'LSCopy_$name', @restore_job_name = N'LSRestore_$name', @file_retention_period = 4320,
    @copy_job_id = @copy OUTPUT, @restore_job_id = @restore OUTPUT, @secondary_id = @id OUTPUT
EXEC master.dbo.sp_add_log_shipping_secondary_database @secondary_database = N'$name', @primary_server = N'$SqlInstance',
    @primary_database = N'$name', @restore_delay = 0, @restore_mode = 0, @disconnect_users = 0, @restore_threshold = 45,
    @threshold_alert_enabled = 0, @history_retention_period = 5760
"@
    $script:ScratchMade['record'] = $true
}

# Takes back what New-Scratch made, each by itself; what could not be taken back comes out as a line.
function Remove-Scratch {
    $name = $script:ScratchName
    $drop = "IF DB_ID(N'$name') IS NOT NULL BEGIN IF DATABASEPROPERTYEX(N'$name', 'Status') = 'ONLINE' " +
        "ALTER DATABASE [$name] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; DROP DATABASE [$name] END"
    if ($script:ScratchMade['record']) {
        try {
            Invoke-Batch $SecondarySqlInstance ("IF EXISTS (SELECT * FROM msdb.dbo.log_shipping_secondary_databases WHERE secondary_database = N'$name') " +
                "EXEC master.dbo.sp_delete_log_shipping_secondary_database @secondary_database = N'$name'")
        }
        catch { "log shipping record of $name on the secondary: $($_.Exception.Message)" }
    }
    foreach ($side in @{ made = 'secondary'; at = $SecondarySqlInstance }, @{ made = 'primary'; at = $SqlInstance }) {
        if ($script:ScratchMade[$side.made]) {
            try { Invoke-Batch $side.at $drop } catch { "database $name on the $($side.made): $($_.Exception.Message)" }
        }
    }
    $files = @($script:ScratchMade['full']) + @($script:ScratchMade['log_backups'])
    if (Test-Path -LiteralPath $CopyFolderPath) { $files += @(Get-ChildItem -LiteralPath $CopyFolderPath -Filter "${name}_*" | ForEach-Object { $_.FullName }) }
    foreach ($file in $files | Where-Object { $_ }) {
        try { if (Test-Path -LiteralPath $file) { Remove-Item -LiteralPath $file -WhatIf:$false -Confirm:$false } } catch { "file ${file}: $($_.Exception.Message)" }
    }
    $script:ScratchMade = @{}
}
