-- What PersistentChatFailover sends to SQL Server 2016. Written by tests/tsql; ids, times and session ids are examples.
-- First the changes of each workflow in their order, each text once; at the end all that reads, looks or locks, in
-- the order of the alphabet.

-- ==== failover

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 0; SELECT @rc AS rc
GO

RESTORE LOG [mgc] FROM DISK = N'E:\LSCopy\mgc_20260314021500.trn' WITH FILE = 1, NORECOVERY
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_delete_log_shipping_secondary_database @secondary_database = N'mgc'; SELECT @rc AS rc
GO

RESTORE DATABASE [mgc] WITH RECOVERY
GO

BACKUP DATABASE [mgc] TO DISK = N'C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\Backup\mgc_20260314021500.bak' WITH CHECKSUM
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_job @job_name = N'PersistentChatFailover log backup mgc', @enabled = 0, @description = N'Log backups since the failover. Made by PersistentChatFailover; delete it when log shipping is set up again.'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobstep @job_name = N'PersistentChatFailover log backup mgc', @step_name = N'log backup', @subsystem = N'TSQL', @database_name = N'master', @command = N'IF EXISTS (SELECT 1 FROM master.sys.databases WHERE name = N''mgc'' AND state = 0 AND is_in_standby = 0) BEGIN DECLARE @file nvarchar(260); SET @file = N''C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\Backup\mgc_'' + REPLACE(REPLACE(REPLACE(CONVERT(nvarchar(19), GETUTCDATE(), 120), N''-'', N''''), N'' '', N''''), N'':'', N'''') + N''.trn''; BACKUP LOG [mgc] TO DISK = @file WITH CHECKSUM; END'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobschedule @job_name = N'PersistentChatFailover log backup mgc', @name = N'every 15 minutes', @enabled = 1, @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15, @active_start_time = 0; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobserver @job_name = N'PersistentChatFailover log backup mgc', @server_name = N'(local)'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 1; SELECT @rc AS rc
GO

-- ==== failover of a standby copy

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 0; SELECT @rc AS rc
GO

USE [mgc]; ALTER DATABASE [mgc] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; USE [master]; RESTORE DATABASE [mgc] WITH NORECOVERY
GO

RESTORE LOG [mgc] FROM DISK = N'E:\LSCopy\mgc_20260314021500.trn' WITH FILE = 1, NORECOVERY
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_delete_log_shipping_secondary_database @secondary_database = N'mgc'; SELECT @rc AS rc
GO

RESTORE DATABASE [mgc] WITH RECOVERY
GO

ALTER DATABASE [mgc] SET MULTI_USER
GO

BACKUP DATABASE [mgc] TO DISK = N'C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\Backup\mgc_20260314021500.bak' WITH CHECKSUM
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_job @job_name = N'PersistentChatFailover log backup mgc', @enabled = 0, @description = N'Log backups since the failover. Made by PersistentChatFailover; delete it when log shipping is set up again.'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobstep @job_name = N'PersistentChatFailover log backup mgc', @step_name = N'log backup', @subsystem = N'TSQL', @database_name = N'master', @command = N'IF EXISTS (SELECT 1 FROM master.sys.databases WHERE name = N''mgc'' AND state = 0 AND is_in_standby = 0) BEGIN DECLARE @file nvarchar(260); SET @file = N''C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\Backup\mgc_'' + REPLACE(REPLACE(REPLACE(CONVERT(nvarchar(19), GETUTCDATE(), 120), N''-'', N''''), N'' '', N''''), N'':'', N'''') + N''.trn''; BACKUP LOG [mgc] TO DISK = @file WITH CHECKSUM; END'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobschedule @job_name = N'PersistentChatFailover log backup mgc', @name = N'every 15 minutes', @enabled = 1, @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15, @active_start_time = 0; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobserver @job_name = N'PersistentChatFailover log backup mgc', @server_name = N'(local)'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 1; SELECT @rc AS rc
GO

-- ==== single commands of a failover

RESTORE LOG [mgc] FROM DISK = N'E:\LSCopy\mgc_20260314021500.trn' WITH FILE = 1, NORECOVERY
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 0; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_delete_log_shipping_secondary_database @secondary_database = N'mgc'; SELECT @rc AS rc
GO

RESTORE DATABASE [mgc] WITH RECOVERY
GO

-- ==== backups, mirrors, baselines

BACKUP DATABASE [mgc] TO DISK = N'C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\Backup\mgc_20260314021500.bak' WITH COPY_ONLY, CHECKSUM
GO

BACKUP LOG [mgc] TO DISK = N'\\fs1\LogShip\mgc_20260314021500.trn' WITH CHECKSUM
GO

BACKUP LOG [mgc] TO DISK = N'C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\Backup\mgc_20260314021500.trn' WITH NO_TRUNCATE
GO

ALTER DATABASE [mgc] SET PARTNER OFF
GO

KILL 51
GO

USE [mgc]; ALTER DATABASE [mgc] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; USE [master]; BACKUP LOG [mgc] TO DISK = N'\\fs1\LogShip\mgc_20260314021500.trn' WITH CHECKSUM, NORECOVERY
GO

-- ==== an old primary that comes back

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 0; SELECT @rc AS rc
GO

ALTER DATABASE [mgc] SET PARTNER OFF
GO

ALTER DATABASE [mgc] SET OFFLINE WITH ROLLBACK IMMEDIATE
GO

-- ==== planned switch

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 0; SELECT @rc AS rc
GO

ALTER DATABASE [mgc] SET PARTNER OFF
GO

ALTER DATABASE [mgccomp] SET PARTNER OFF
GO

USE [mgc]; ALTER DATABASE [mgc] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; USE [master]; BACKUP LOG [mgc] TO DISK = N'\\fs1\LogShip\mgc_20260314021500.trn' WITH CHECKSUM, NORECOVERY
GO

RESTORE LOG [mgc] FROM DISK = N'E:\LSCopy\mgc_20260314021500.trn' WITH FILE = 1, NORECOVERY
GO

RESTORE DATABASE [mgc] WITH RECOVERY
GO

ALTER DATABASE [mgc] SET MULTI_USER
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_delete_log_shipping_secondary_database @secondary_database = N'mgc'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_delete_log_shipping_primary_secondary @primary_database = N'mgc', @secondary_server = N'B\RTC', @secondary_database = N'mgc'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_delete_log_shipping_primary_database @database = N'mgc'; SELECT @rc AS rc
GO

BACKUP DATABASE [mgc] TO DISK = N'\\fs1\LogShip\mgc_20260314021500.bak' WITH CHECKSUM
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_job @job_name = N'PersistentChatFailover log backup mgc', @enabled = 0, @description = N'Log backups since the failover. Made by PersistentChatFailover; delete it when log shipping is set up again.'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobstep @job_name = N'PersistentChatFailover log backup mgc', @step_name = N'log backup', @subsystem = N'TSQL', @database_name = N'master', @command = N'IF EXISTS (SELECT 1 FROM master.sys.databases WHERE name = N''mgc'' AND state = 0 AND is_in_standby = 0) BEGIN DECLARE @file nvarchar(260); SET @file = N''\\fs1\LogShip\mgc_'' + REPLACE(REPLACE(REPLACE(CONVERT(nvarchar(19), GETUTCDATE(), 120), N''-'', N''''), N'' '', N''''), N'':'', N'''') + N''.trn''; BACKUP LOG [mgc] TO DISK = @file WITH CHECKSUM; END'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobschedule @job_name = N'PersistentChatFailover log backup mgc', @name = N'every 15 minutes', @enabled = 1, @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15, @active_start_time = 0; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobserver @job_name = N'PersistentChatFailover log backup mgc', @server_name = N'(local)'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 1; SELECT @rc AS rc
GO

-- ==== planned switch, given up after the tail

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 0; SELECT @rc AS rc
GO

ALTER DATABASE [mgc] SET PARTNER OFF
GO

ALTER DATABASE [mgccomp] SET PARTNER OFF
GO

USE [mgc]; ALTER DATABASE [mgc] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; USE [master]; BACKUP LOG [mgc] TO DISK = N'\\fs1\LogShip\mgc_20260314021500.trn' WITH CHECKSUM, NORECOVERY
GO

RESTORE DATABASE [mgc] WITH RECOVERY
GO

ALTER DATABASE [mgc] SET MULTI_USER
GO

RESTORE LOG [mgc] FROM DISK = N'\\fs1\LogShip\mgc_20260314021500.trn' WITH FILE = 1, NORECOVERY
GO

RESTORE LOG [mgc] FROM DISK = N'\\fs2\mirror\mgc.trn' WITH FILE = 1, NORECOVERY
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 1; SELECT @rc AS rc
GO

-- ==== planned switch, the log of a damaged database saved

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 0; SELECT @rc AS rc
GO

BACKUP LOG [mgc] TO DISK = N'\\fs1\LogShip\mgc_20260314021500.trn' WITH NO_TRUNCATE
GO

RESTORE LOG [mgc] FROM DISK = N'E:\LSCopy\mgc_20260314021500.trn' WITH FILE = 1, NORECOVERY
GO

RESTORE DATABASE [mgc] WITH RECOVERY
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_delete_log_shipping_secondary_database @secondary_database = N'mgc'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_delete_log_shipping_primary_secondary @primary_database = N'mgc', @secondary_server = N'B\RTC', @secondary_database = N'mgc'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_delete_log_shipping_primary_database @database = N'mgc'; SELECT @rc AS rc
GO

BACKUP DATABASE [mgc] TO DISK = N'\\fs1\LogShip\mgc_20260314021500.bak' WITH CHECKSUM
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_job @job_name = N'PersistentChatFailover log backup mgc', @enabled = 0, @description = N'Log backups since the failover. Made by PersistentChatFailover; delete it when log shipping is set up again.'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobstep @job_name = N'PersistentChatFailover log backup mgc', @step_name = N'log backup', @subsystem = N'TSQL', @database_name = N'master', @command = N'IF EXISTS (SELECT 1 FROM master.sys.databases WHERE name = N''mgc'' AND state = 0 AND is_in_standby = 0) BEGIN DECLARE @file nvarchar(260); SET @file = N''\\fs1\LogShip\mgc_'' + REPLACE(REPLACE(REPLACE(CONVERT(nvarchar(19), GETUTCDATE(), 120), N''-'', N''''), N'' '', N''''), N'':'', N'''') + N''.trn''; BACKUP LOG [mgc] TO DISK = @file WITH CHECKSUM; END'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobschedule @job_name = N'PersistentChatFailover log backup mgc', @name = N'every 15 minutes', @enabled = 1, @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15, @active_start_time = 0; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobserver @job_name = N'PersistentChatFailover log backup mgc', @server_name = N'(local)'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 1; SELECT @rc AS rc
GO

-- ==== failback after a disaster

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_jobstep @job_id = N'00000000-0000-0000-0000-000000000001', @step_id = 1, @command = N'IF EXISTS (SELECT 1 FROM master.sys.databases WHERE name = N''mgc'' AND state = 0 AND is_in_standby = 0) BEGIN DECLARE @file nvarchar(260); SET @file = N''\\fs1\LogShip\mgc_'' + REPLACE(REPLACE(REPLACE(CONVERT(nvarchar(19), GETUTCDATE(), 120), N''-'', N''''), N'' '', N''''), N'':'', N'''') + N''.trn''; BACKUP LOG [mgc] TO DISK = @file WITH CHECKSUM; END'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 0; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_delete_log_shipping_primary_secondary @primary_database = N'mgc', @secondary_server = N'B\RTC', @secondary_database = N'mgc'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_delete_log_shipping_primary_database @database = N'mgc'; SELECT @rc AS rc
GO

ALTER DATABASE [mgc] SET PARTNER OFF
GO

USE [mgc]; IF DB_ID() = DB_ID(N'mgc') BEGIN ALTER DATABASE [mgc] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; BACKUP DATABASE [mgc] TO DISK = N'\\fs1\LogShip\mgc_saved_P-RTC_20260314021500.bak' WITH COPY_ONLY, CHECKSUM; USE [master]; END
GO

BACKUP DATABASE [mgc] TO DISK = N'\\fs1\LogShip\mgc_20260314021500.bak' WITH COPY_ONLY, CHECKSUM
GO

USE [mgc]; IF DB_ID() = DB_ID(N'mgc') BEGIN ALTER DATABASE [mgc] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; USE [master]; RESTORE DATABASE [mgc] FROM DISK = N'\\fs1\LogShip\mgc_20260314021500.bak' WITH FILE = 1, NORECOVERY, REPLACE, MOVE N'mgc' TO N'C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\DATA\mgc.mdf', MOVE N'mgc_log' TO N'C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\DATA\mgc_log.ldf'; END
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_start_job @job_id = N'00000000-0000-0000-0000-000000000001'; SELECT @rc AS rc
GO

RESTORE LOG [mgc] FROM DISK = N'\\fs1\LogShip\mgc_20260314021500.trn' WITH FILE = 1, NORECOVERY
GO

ALTER DATABASE [mgccomp] SET PARTNER OFF
GO

USE [mgc]; ALTER DATABASE [mgc] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; USE [master]; BACKUP LOG [mgc] TO DISK = N'\\fs1\LogShip\mgc_20260314021500.trn' WITH CHECKSUM, NORECOVERY
GO

RESTORE DATABASE [mgc] WITH RECOVERY
GO

ALTER DATABASE [mgc] SET MULTI_USER
GO

ALTER DATABASE [mgc] SET ENABLE_BROKER WITH ROLLBACK IMMEDIATE
GO

ALTER DATABASE [mgc] SET TRUSTWORTHY ON
GO

ALTER DATABASE [mgc] SET DB_CHAINING ON
GO

RESTORE LOG [mgc] FROM DISK = N'\\fs2\mirror\mgc.trn' WITH FILE = 1, NORECOVERY
GO

EXEC master.dbo.xp_create_subdir N'\\fs1\LogShip\archive_20260314021500'
GO

EXEC master.dbo.xp_create_subdir N'E:\LSCopy\archive_20260314021500'
GO

DECLARE @rc int, @backup_job_id uniqueidentifier, @primary_id uniqueidentifier; EXEC @rc = master.dbo.sp_add_log_shipping_primary_database @database = N'mgc', @backup_directory = N'\\fs1\LogShip', @backup_share = N'\\fs1\LogShip', @backup_job_name = N'LSBackup_mgc', @backup_retention_period = 4320, @monitor_server = N'MON', @monitor_server_security_mode = 1, @backup_threshold = 60, @threshold_alert = 14420, @threshold_alert_enabled = 1, @history_retention_period = 5760, @backup_compression = 2, @backup_job_id = @backup_job_id OUTPUT, @primary_id = @primary_id OUTPUT; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobschedule @job_id = N'00000000-0000-0000-0000-000000000001', @name = N'LSBackup_mgc schedule', @enabled = 1, @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15, @freq_relative_interval = 0, @freq_recurrence_factor = 0, @active_start_date = 20260314, @active_end_date = 99991231, @active_start_time = 21500, @active_end_time = 235959; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_add_log_shipping_primary_secondary @primary_database = N'mgc', @secondary_server = N'B\RTC', @secondary_database = N'mgc'; SELECT @rc AS rc
GO

DECLARE @rc int, @copy_job_id uniqueidentifier, @restore_job_id uniqueidentifier, @secondary_id uniqueidentifier; EXEC @rc = master.dbo.sp_add_log_shipping_secondary_primary @primary_server = N'P\RTC', @primary_database = N'mgc', @backup_source_directory = N'\\fs1\LogShip', @backup_destination_directory = N'E:\LSCopy', @copy_job_name = N'LSCopy_P\RTC_mgc', @restore_job_name = N'LSRestore_P\RTC_mgc', @file_retention_period = 4320, @monitor_server = N'MON', @monitor_server_security_mode = 1, @copy_job_id = @copy_job_id OUTPUT, @restore_job_id = @restore_job_id OUTPUT, @secondary_id = @secondary_id OUTPUT; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_add_log_shipping_secondary_database @secondary_database = N'mgc', @primary_server = N'P\RTC', @primary_database = N'mgc', @restore_delay = 0, @restore_all = 1, @restore_mode = 0, @disconnect_users = 0, @block_size = -1, @buffer_count = -1, @max_transfer_size = -1, @restore_threshold = 45, @threshold_alert = 14421, @threshold_alert_enabled = 1, @history_retention_period = 5760; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobschedule @job_id = N'00000000-0000-0000-0000-000000000001', @name = N'LSCopy_P\RTC_mgc schedule', @enabled = 1, @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15, @freq_relative_interval = 0, @freq_recurrence_factor = 0, @active_start_date = 20260314, @active_end_date = 99991231, @active_start_time = 21500, @active_end_time = 235959; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobschedule @job_id = N'00000000-0000-0000-0000-000000000001', @name = N'LSRestore_P\RTC_mgc schedule', @enabled = 1, @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15, @freq_relative_interval = 0, @freq_recurrence_factor = 0, @active_start_date = 20260314, @active_end_date = 99991231, @active_start_time = 21500, @active_end_time = 235959; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 1; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_delete_job @job_id = N'00000000-0000-0000-0000-000000000001'; SELECT @rc AS rc
GO

DROP DATABASE [mgc]
GO

DROP DATABASE [mgccomp]
GO

RESTORE DATABASE [mgc] FROM DISK = N'\\fs1\LogShip\mgc_20260314021500.bak' WITH FILE = 1, NORECOVERY, REPLACE, MOVE N'mgc' TO N'C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\DATA\mgc.mdf', MOVE N'mgc_log' TO N'C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\DATA\mgc_log.ldf'
GO

-- ==== failback after a planned switch

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_start_job @job_id = N'00000000-0000-0000-0000-000000000001'; SELECT @rc AS rc
GO

RESTORE LOG [mgc] FROM DISK = N'\\fs2\mirror\mgc.trn' WITH FILE = 1, NORECOVERY
GO

RESTORE LOG [mgc] FROM DISK = N'\\fs1\LogShip\mgc_20260314021500.trn' WITH FILE = 1, NORECOVERY
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 0; SELECT @rc AS rc
GO

ALTER DATABASE [mgc] SET PARTNER OFF
GO

ALTER DATABASE [mgccomp] SET PARTNER OFF
GO

USE [mgc]; ALTER DATABASE [mgc] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; USE [master]; BACKUP LOG [mgc] TO DISK = N'\\fs1\LogShip\mgc_20260314021500.trn' WITH CHECKSUM, NORECOVERY
GO

RESTORE DATABASE [mgc] WITH RECOVERY
GO

ALTER DATABASE [mgc] SET MULTI_USER
GO

ALTER DATABASE [mgc] SET ENABLE_BROKER WITH ROLLBACK IMMEDIATE
GO

EXEC master.dbo.xp_create_subdir N'\\fs1\LogShip\archive_20260314021500'
GO

EXEC master.dbo.xp_create_subdir N'E:\LSCopy\archive_20260314021500'
GO

DECLARE @rc int, @backup_job_id uniqueidentifier, @primary_id uniqueidentifier; EXEC @rc = master.dbo.sp_add_log_shipping_primary_database @database = N'mgc', @backup_directory = N'\\fs1\LogShip', @backup_share = N'\\fs1\LogShip', @backup_job_name = N'LSBackup_mgc', @backup_retention_period = 4320, @monitor_server = N'MON', @monitor_server_security_mode = 1, @backup_threshold = 60, @threshold_alert = 14420, @threshold_alert_enabled = 1, @history_retention_period = 5760, @backup_compression = 2, @backup_job_id = @backup_job_id OUTPUT, @primary_id = @primary_id OUTPUT; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobschedule @job_id = N'00000000-0000-0000-0000-000000000001', @name = N'LSBackup_mgc schedule', @enabled = 1, @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15, @freq_relative_interval = 0, @freq_recurrence_factor = 0, @active_start_date = 20260314, @active_end_date = 99991231, @active_start_time = 21500, @active_end_time = 235959; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_add_log_shipping_primary_secondary @primary_database = N'mgc', @secondary_server = N'B\RTC', @secondary_database = N'mgc'; SELECT @rc AS rc
GO

DECLARE @rc int, @copy_job_id uniqueidentifier, @restore_job_id uniqueidentifier, @secondary_id uniqueidentifier; EXEC @rc = master.dbo.sp_add_log_shipping_secondary_primary @primary_server = N'P\RTC', @primary_database = N'mgc', @backup_source_directory = N'\\fs1\LogShip', @backup_destination_directory = N'E:\LSCopy', @copy_job_name = N'LSCopy_P\RTC_mgc', @restore_job_name = N'LSRestore_P\RTC_mgc', @file_retention_period = 4320, @monitor_server = N'MON', @monitor_server_security_mode = 1, @copy_job_id = @copy_job_id OUTPUT, @restore_job_id = @restore_job_id OUTPUT, @secondary_id = @secondary_id OUTPUT; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_add_log_shipping_secondary_database @secondary_database = N'mgc', @primary_server = N'P\RTC', @primary_database = N'mgc', @restore_delay = 0, @restore_all = 1, @restore_mode = 0, @disconnect_users = 0, @block_size = -1, @buffer_count = -1, @max_transfer_size = -1, @restore_threshold = 45, @threshold_alert = 14421, @threshold_alert_enabled = 1, @history_retention_period = 5760; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobschedule @job_id = N'00000000-0000-0000-0000-000000000001', @name = N'LSCopy_P\RTC_mgc schedule', @enabled = 1, @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15, @freq_relative_interval = 0, @freq_recurrence_factor = 0, @active_start_date = 20260314, @active_end_date = 99991231, @active_start_time = 21500, @active_end_time = 235959; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobschedule @job_id = N'00000000-0000-0000-0000-000000000001', @name = N'LSRestore_P\RTC_mgc schedule', @enabled = 1, @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15, @freq_relative_interval = 0, @freq_recurrence_factor = 0, @active_start_date = 20260314, @active_end_date = 99991231, @active_start_time = 21500, @active_end_time = 235959; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 1; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_delete_job @job_id = N'00000000-0000-0000-0000-000000000001'; SELECT @rc AS rc
GO

DROP DATABASE [mgc]
GO

DROP DATABASE [mgccomp]
GO

-- ==== failback in the documented order

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_jobstep @job_id = N'00000000-0000-0000-0000-000000000001', @step_id = 1, @command = N'IF EXISTS (SELECT 1 FROM master.sys.databases WHERE name = N''mgc'' AND state = 0 AND is_in_standby = 0) BEGIN DECLARE @file nvarchar(260); SET @file = N''\\fs1\LogShip\mgc_'' + REPLACE(REPLACE(REPLACE(CONVERT(nvarchar(19), GETUTCDATE(), 120), N''-'', N''''), N'' '', N''''), N'':'', N'''') + N''.trn''; BACKUP LOG [mgc] TO DISK = @file WITH CHECKSUM; END'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 0; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_delete_log_shipping_primary_secondary @primary_database = N'mgc', @secondary_server = N'B\RTC', @secondary_database = N'mgc'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_delete_log_shipping_primary_database @database = N'mgc'; SELECT @rc AS rc
GO

ALTER DATABASE [mgc] SET PARTNER OFF
GO

USE [mgc]; IF DB_ID() = DB_ID(N'mgc') BEGIN ALTER DATABASE [mgc] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; BACKUP DATABASE [mgc] TO DISK = N'\\fs1\LogShip\mgc_saved_P-RTC_20260314021500.bak' WITH COPY_ONLY, CHECKSUM; USE [master]; END
GO

ALTER DATABASE [mgccomp] SET PARTNER OFF
GO

ALTER DATABASE [mgc] SET OFFLINE WITH ROLLBACK IMMEDIATE
GO

USE [mgc]; IF DB_ID() = DB_ID(N'mgc') BEGIN ALTER DATABASE [mgc] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; BACKUP DATABASE [mgc] TO DISK = N'\\fs1\LogShip\mgc_20260314021500.bak' WITH COPY_ONLY, CHECKSUM; BACKUP LOG [mgc] TO DISK = N'\\fs1\LogShip\mgc_closing_20260314021500.bak' WITH COPY_ONLY, CHECKSUM; ALTER DATABASE [mgc] SET OFFLINE WITH ROLLBACK IMMEDIATE; END
GO

RESTORE DATABASE [mgc] FROM DISK = N'\\fs1\LogShip\mgc_20260314021500.bak' WITH FILE = 1, NORECOVERY, REPLACE, MOVE N'mgc' TO N'C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\DATA\mgc.mdf', MOVE N'mgc_log' TO N'C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\DATA\mgc_log.ldf'
GO

RESTORE LOG [mgc] FROM DISK = N'\\fs1\LogShip\mgc_closing_20260314021500.bak' WITH FILE = 1, NORECOVERY
GO

RESTORE DATABASE [mgc] WITH RECOVERY
GO

ALTER DATABASE [mgc] SET MULTI_USER
GO

ALTER DATABASE [mgc] SET ENABLE_BROKER WITH ROLLBACK IMMEDIATE
GO

ALTER DATABASE [mgc] SET TRUSTWORTHY ON
GO

ALTER DATABASE [mgc] SET DB_CHAINING ON
GO

BACKUP DATABASE [mgc] TO DISK = N'\\fs1\LogShip\mgc_20260314021500.bak' WITH COPY_ONLY, CHECKSUM
GO

EXEC master.dbo.xp_create_subdir N'\\fs1\LogShip\archive_20260314021500'
GO

EXEC master.dbo.xp_create_subdir N'E:\LSCopy\archive_20260314021500'
GO

DECLARE @rc int, @backup_job_id uniqueidentifier, @primary_id uniqueidentifier; EXEC @rc = master.dbo.sp_add_log_shipping_primary_database @database = N'mgc', @backup_directory = N'\\fs1\LogShip', @backup_share = N'\\fs1\LogShip', @backup_job_name = N'LSBackup_mgc', @backup_retention_period = 4320, @monitor_server = N'MON', @monitor_server_security_mode = 1, @backup_threshold = 60, @threshold_alert = 14420, @threshold_alert_enabled = 1, @history_retention_period = 5760, @backup_compression = 2, @backup_job_id = @backup_job_id OUTPUT, @primary_id = @primary_id OUTPUT; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobschedule @job_id = N'00000000-0000-0000-0000-000000000001', @name = N'LSBackup_mgc schedule', @enabled = 1, @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15, @freq_relative_interval = 0, @freq_recurrence_factor = 0, @active_start_date = 20260314, @active_end_date = 99991231, @active_start_time = 21500, @active_end_time = 235959; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_add_log_shipping_primary_secondary @primary_database = N'mgc', @secondary_server = N'B\RTC', @secondary_database = N'mgc'; SELECT @rc AS rc
GO

DECLARE @rc int, @copy_job_id uniqueidentifier, @restore_job_id uniqueidentifier, @secondary_id uniqueidentifier; EXEC @rc = master.dbo.sp_add_log_shipping_secondary_primary @primary_server = N'P\RTC', @primary_database = N'mgc', @backup_source_directory = N'\\fs1\LogShip', @backup_destination_directory = N'E:\LSCopy', @copy_job_name = N'LSCopy_P\RTC_mgc', @restore_job_name = N'LSRestore_P\RTC_mgc', @file_retention_period = 4320, @monitor_server = N'MON', @monitor_server_security_mode = 1, @copy_job_id = @copy_job_id OUTPUT, @restore_job_id = @restore_job_id OUTPUT, @secondary_id = @secondary_id OUTPUT; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_add_log_shipping_secondary_database @secondary_database = N'mgc', @primary_server = N'P\RTC', @primary_database = N'mgc', @restore_delay = 0, @restore_all = 1, @restore_mode = 0, @disconnect_users = 0, @block_size = -1, @buffer_count = -1, @max_transfer_size = -1, @restore_threshold = 45, @threshold_alert = 14421, @threshold_alert_enabled = 1, @history_retention_period = 5760; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobschedule @job_id = N'00000000-0000-0000-0000-000000000001', @name = N'LSCopy_P\RTC_mgc schedule', @enabled = 1, @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15, @freq_relative_interval = 0, @freq_recurrence_factor = 0, @active_start_date = 20260314, @active_end_date = 99991231, @active_start_time = 21500, @active_end_time = 235959; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobschedule @job_id = N'00000000-0000-0000-0000-000000000001', @name = N'LSRestore_P\RTC_mgc schedule', @enabled = 1, @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15, @freq_relative_interval = 0, @freq_recurrence_factor = 0, @active_start_date = 20260314, @active_end_date = 99991231, @active_start_time = 21500, @active_end_time = 235959; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 1; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_delete_job @job_id = N'00000000-0000-0000-0000-000000000001'; SELECT @rc AS rc
GO

DROP DATABASE [mgc]
GO

DROP DATABASE [mgccomp]
GO

-- ==== failback, given up after the tail

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_jobstep @job_id = N'00000000-0000-0000-0000-000000000001', @step_id = 1, @command = N'IF EXISTS (SELECT 1 FROM master.sys.databases WHERE name = N''mgc'' AND state = 0 AND is_in_standby = 0) BEGIN DECLARE @file nvarchar(260); SET @file = N''\\fs1\LogShip\mgc_'' + REPLACE(REPLACE(REPLACE(CONVERT(nvarchar(19), GETUTCDATE(), 120), N''-'', N''''), N'' '', N''''), N'':'', N'''') + N''.trn''; BACKUP LOG [mgc] TO DISK = @file WITH CHECKSUM; END'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 0; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_delete_log_shipping_primary_secondary @primary_database = N'mgc', @secondary_server = N'B\RTC', @secondary_database = N'mgc'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_delete_log_shipping_primary_database @database = N'mgc'; SELECT @rc AS rc
GO

ALTER DATABASE [mgc] SET PARTNER OFF
GO

USE [mgc]; IF DB_ID() = DB_ID(N'mgc') BEGIN ALTER DATABASE [mgc] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; BACKUP DATABASE [mgc] TO DISK = N'\\fs1\LogShip\mgc_saved_P-RTC_20260314021500.bak' WITH COPY_ONLY, CHECKSUM; USE [master]; END
GO

BACKUP DATABASE [mgc] TO DISK = N'\\fs1\LogShip\mgc_20260314021500.bak' WITH COPY_ONLY, CHECKSUM
GO

USE [mgc]; IF DB_ID() = DB_ID(N'mgc') BEGIN ALTER DATABASE [mgc] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; USE [master]; RESTORE DATABASE [mgc] FROM DISK = N'\\fs1\LogShip\mgc_20260314021500.bak' WITH FILE = 1, NORECOVERY, REPLACE, MOVE N'mgc' TO N'C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\DATA\mgc.mdf', MOVE N'mgc_log' TO N'C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\DATA\mgc_log.ldf'; END
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_start_job @job_id = N'00000000-0000-0000-0000-000000000001'; SELECT @rc AS rc
GO

RESTORE LOG [mgc] FROM DISK = N'\\fs1\LogShip\mgc_20260314021500.trn' WITH FILE = 1, NORECOVERY
GO

ALTER DATABASE [mgccomp] SET PARTNER OFF
GO

USE [mgc]; ALTER DATABASE [mgc] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; USE [master]; BACKUP LOG [mgc] TO DISK = N'\\fs1\LogShip\mgc_20260314021500.trn' WITH CHECKSUM, NORECOVERY
GO

RESTORE DATABASE [mgc] WITH RECOVERY
GO

ALTER DATABASE [mgc] SET MULTI_USER
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 1; SELECT @rc AS rc
GO

-- ==== log shipping set up anew

DECLARE @rc int, @copy_job_id uniqueidentifier, @restore_job_id uniqueidentifier, @secondary_id uniqueidentifier; EXEC @rc = master.dbo.sp_add_log_shipping_secondary_primary @primary_server = N'P\RTC', @primary_database = N'mgc', @backup_source_directory = N'\\fs1\LogShip', @backup_destination_directory = N'E:\LSCopy', @copy_job_name = N'LSCopy_P\RTC_mgc', @restore_job_name = N'LSRestore_P\RTC_mgc', @file_retention_period = 4320, @monitor_server = N'MON', @monitor_server_security_mode = 1, @copy_job_id = @copy_job_id OUTPUT, @restore_job_id = @restore_job_id OUTPUT, @secondary_id = @secondary_id OUTPUT; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_add_log_shipping_secondary_database @secondary_database = N'mgc', @primary_server = N'P\RTC', @primary_database = N'mgc', @restore_delay = 0, @restore_all = 1, @restore_mode = 0, @disconnect_users = 0, @block_size = -1, @buffer_count = -1, @max_transfer_size = -1, @restore_threshold = 45, @threshold_alert = 14421, @threshold_alert_enabled = 1, @history_retention_period = 5760; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobschedule @job_id = N'00000000-0000-0000-0000-000000000001', @name = N'LSCopy_P\RTC_mgc schedule', @enabled = 1, @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15, @freq_relative_interval = 0, @freq_recurrence_factor = 0, @active_start_date = 20260314, @active_end_date = 99991231, @active_start_time = 21500, @active_end_time = 235959; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobschedule @job_id = N'00000000-0000-0000-0000-000000000001', @name = N'LSRestore_P\RTC_mgc schedule', @enabled = 1, @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15, @freq_relative_interval = 0, @freq_recurrence_factor = 0, @active_start_date = 20260314, @active_end_date = 99991231, @active_start_time = 21500, @active_end_time = 235959; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 1; SELECT @rc AS rc
GO

-- ==== reverse log shipping, its secondary seeded

ALTER DATABASE [mgc] SET PARTNER OFF
GO

BACKUP DATABASE [mgc] TO DISK = N'C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\Backup\mgc_20260314021500.bak' WITH COPY_ONLY, CHECKSUM
GO

USE [mgc]; ALTER DATABASE [mgc] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; USE [master]; BACKUP LOG [mgc] TO DISK = N'\\fs1\LogShip\mgc_20260314021500.trn' WITH CHECKSUM, NORECOVERY
GO

BACKUP DATABASE [mgc] TO DISK = N'\\fs1\LogShip\mgc_20260314021500.bak' WITH COPY_ONLY, CHECKSUM
GO

RESTORE DATABASE [mgc] FROM DISK = N'\\fs1\LogShip\mgc_20260314021500.bak' WITH FILE = 1, NORECOVERY, REPLACE, MOVE N'mgc' TO N'C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\DATA\mgc.mdf', MOVE N'mgc_log' TO N'C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\DATA\mgc_log.ldf'
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 0; SELECT @rc AS rc
GO

EXEC master.dbo.xp_create_subdir N'\\fs1\LogShip\reverse'
GO

DECLARE @rc int, @backup_job_id uniqueidentifier, @primary_id uniqueidentifier; EXEC @rc = master.dbo.sp_add_log_shipping_primary_database @database = N'mgc', @backup_directory = N'\\fs1\LogShip\reverse', @backup_share = N'\\fs1\LogShip\reverse', @backup_job_name = N'LSBackup_mgc', @backup_retention_period = 4320, @monitor_server = N'MON', @monitor_server_security_mode = 1, @backup_threshold = 60, @threshold_alert = 14420, @threshold_alert_enabled = 1, @history_retention_period = 5760, @backup_compression = 2, @backup_job_id = @backup_job_id OUTPUT, @primary_id = @primary_id OUTPUT; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobschedule @job_id = N'00000000-0000-0000-0000-000000000001', @name = N'LSBackup_mgc schedule', @enabled = 1, @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15, @freq_relative_interval = 0, @freq_recurrence_factor = 0, @active_start_date = 20260314, @active_end_date = 99991231, @active_start_time = 21500, @active_end_time = 235959; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_add_log_shipping_primary_secondary @primary_database = N'mgc', @secondary_server = N'P\RTC', @secondary_database = N'mgc'; SELECT @rc AS rc
GO

EXEC master.dbo.xp_create_subdir N'E:\Reverse'
GO

DECLARE @rc int, @copy_job_id uniqueidentifier, @restore_job_id uniqueidentifier, @secondary_id uniqueidentifier; EXEC @rc = master.dbo.sp_add_log_shipping_secondary_primary @primary_server = N'B\RTC', @primary_database = N'mgc', @backup_source_directory = N'\\fs1\LogShip\reverse', @backup_destination_directory = N'E:\Reverse', @copy_job_name = N'LSCopy_B\RTC_mgc', @restore_job_name = N'LSRestore_B\RTC_mgc', @file_retention_period = 4320, @monitor_server = N'MON', @monitor_server_security_mode = 1, @copy_job_id = @copy_job_id OUTPUT, @restore_job_id = @restore_job_id OUTPUT, @secondary_id = @secondary_id OUTPUT; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_add_log_shipping_secondary_database @secondary_database = N'mgc', @primary_server = N'B\RTC', @primary_database = N'mgc', @restore_delay = 0, @restore_all = 1, @restore_mode = 0, @disconnect_users = 0, @block_size = -1, @buffer_count = -1, @max_transfer_size = -1, @restore_threshold = 45, @threshold_alert = 14421, @threshold_alert_enabled = 1, @history_retention_period = 5760; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobschedule @job_id = N'00000000-0000-0000-0000-000000000001', @name = N'LSCopy_P\RTC_mgc schedule', @enabled = 1, @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15, @freq_relative_interval = 0, @freq_recurrence_factor = 0, @active_start_date = 20260314, @active_end_date = 99991231, @active_start_time = 21500, @active_end_time = 235959; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobschedule @job_id = N'00000000-0000-0000-0000-000000000001', @name = N'LSRestore_P\RTC_mgc schedule', @enabled = 1, @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15, @freq_relative_interval = 0, @freq_recurrence_factor = 0, @active_start_date = 20260314, @active_end_date = 99991231, @active_start_time = 21500, @active_end_time = 235959; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_delete_job @job_id = N'00000000-0000-0000-0000-000000000001'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 1; SELECT @rc AS rc
GO

KILL 51
GO

-- ==== failback with reverse log shipping

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 0; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_delete_log_shipping_primary_secondary @primary_database = N'mgc', @secondary_server = N'B\RTC', @secondary_database = N'mgc'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_delete_log_shipping_primary_database @database = N'mgc'; SELECT @rc AS rc
GO

RESTORE DATABASE [mgc] WITH RECOVERY
GO

USE [mgc]; IF DB_ID() = DB_ID(N'mgc') BEGIN ALTER DATABASE [mgc] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; BACKUP DATABASE [mgc] TO DISK = N'\\fs1\LogShip\mgc_saved_PM-RTC_20260314021500.bak' WITH COPY_ONLY, CHECKSUM; USE [master]; END
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_start_job @job_id = N'00000000-0000-0000-0000-000000000001'; SELECT @rc AS rc
GO

RESTORE LOG [mgc] FROM DISK = N'\\fs1\LogShip\reverse\mgc_20260314021500.trn' WITH FILE = 1, NORECOVERY
GO

ALTER DATABASE [mgc] SET PARTNER OFF
GO

ALTER DATABASE [mgccomp] SET PARTNER OFF
GO

USE [mgc]; ALTER DATABASE [mgc] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; USE [master]; BACKUP LOG [mgc] TO DISK = N'\\fs1\LogShip\mgc_20260314021500.trn' WITH CHECKSUM, NORECOVERY
GO

RESTORE LOG [mgc] FROM DISK = N'\\fs1\LogShip\mgc_20260314021500.trn' WITH FILE = 1, NORECOVERY
GO

ALTER DATABASE [mgc] SET MULTI_USER
GO

ALTER DATABASE [mgc] SET ENABLE_BROKER WITH ROLLBACK IMMEDIATE
GO

ALTER DATABASE [mgc] SET TRUSTWORTHY ON
GO

ALTER DATABASE [mgc] SET DB_CHAINING ON
GO

RESTORE LOG [mgc] FROM DISK = N'\\fs2\mirror\mgc.trn' WITH FILE = 1, NORECOVERY
GO

EXEC master.dbo.xp_create_subdir N'\\fs1\LogShip\archive_20260314021500'
GO

EXEC master.dbo.xp_create_subdir N'E:\LSCopy\archive_20260314021500'
GO

DECLARE @rc int, @backup_job_id uniqueidentifier, @primary_id uniqueidentifier; EXEC @rc = master.dbo.sp_add_log_shipping_primary_database @database = N'mgc', @backup_directory = N'\\fs1\LogShip', @backup_share = N'\\fs1\LogShip', @backup_job_name = N'LSBackup_mgc', @backup_retention_period = 4320, @monitor_server = N'MON', @monitor_server_security_mode = 1, @backup_threshold = 60, @threshold_alert = 14420, @threshold_alert_enabled = 1, @history_retention_period = 5760, @backup_compression = 2, @backup_job_id = @backup_job_id OUTPUT, @primary_id = @primary_id OUTPUT; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobschedule @job_id = N'00000000-0000-0000-0000-000000000001', @name = N'LSBackup_mgc schedule', @enabled = 1, @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15, @freq_relative_interval = 0, @freq_recurrence_factor = 0, @active_start_date = 20260314, @active_end_date = 99991231, @active_start_time = 21500, @active_end_time = 235959; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_add_log_shipping_primary_secondary @primary_database = N'mgc', @secondary_server = N'B\RTC', @secondary_database = N'mgc'; SELECT @rc AS rc
GO

DECLARE @rc int, @copy_job_id uniqueidentifier, @restore_job_id uniqueidentifier, @secondary_id uniqueidentifier; EXEC @rc = master.dbo.sp_add_log_shipping_secondary_primary @primary_server = N'P\RTC', @primary_database = N'mgc', @backup_source_directory = N'\\fs1\LogShip', @backup_destination_directory = N'E:\LSCopy', @copy_job_name = N'LSCopy_P\RTC_mgc', @restore_job_name = N'LSRestore_P\RTC_mgc', @file_retention_period = 4320, @monitor_server = N'MON', @monitor_server_security_mode = 1, @copy_job_id = @copy_job_id OUTPUT, @restore_job_id = @restore_job_id OUTPUT, @secondary_id = @secondary_id OUTPUT; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_add_log_shipping_secondary_database @secondary_database = N'mgc', @primary_server = N'P\RTC', @primary_database = N'mgc', @restore_delay = 0, @restore_all = 1, @restore_mode = 0, @disconnect_users = 0, @block_size = -1, @buffer_count = -1, @max_transfer_size = -1, @restore_threshold = 45, @threshold_alert = 14421, @threshold_alert_enabled = 1, @history_retention_period = 5760; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobschedule @job_id = N'00000000-0000-0000-0000-000000000001', @name = N'LSCopy_P\RTC_mgc schedule', @enabled = 1, @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15, @freq_relative_interval = 0, @freq_recurrence_factor = 0, @active_start_date = 20260314, @active_end_date = 99991231, @active_start_time = 21500, @active_end_time = 235959; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobschedule @job_id = N'00000000-0000-0000-0000-000000000001', @name = N'LSRestore_P\RTC_mgc schedule', @enabled = 1, @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15, @freq_relative_interval = 0, @freq_recurrence_factor = 0, @active_start_date = 20260314, @active_end_date = 99991231, @active_start_time = 21500, @active_end_time = 235959; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 1; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_delete_log_shipping_primary_secondary @primary_database = N'mgc', @secondary_server = N'P\RTC', @secondary_database = N'mgc'; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_delete_log_shipping_secondary_database @secondary_database = N'mgc'; SELECT @rc AS rc
GO

DROP DATABASE [mgc]
GO

DROP DATABASE [mgccomp]
GO

-- ==== a primary added on a mirrored pair

DECLARE @rc int, @backup_job_id uniqueidentifier, @primary_id uniqueidentifier; EXEC @rc = master.dbo.sp_add_log_shipping_primary_database @database = N'mgc', @backup_directory = N'\\fs1\LogShip', @backup_share = N'\\fs1\LogShip', @backup_job_name = N'LSBackup_mgc', @backup_retention_period = 4320, @monitor_server = N'P\RTC', @monitor_server_security_mode = 1, @backup_threshold = 60, @threshold_alert = 14420, @threshold_alert_enabled = 1, @history_retention_period = 14420, @backup_compression = 2, @backup_job_id = @backup_job_id OUTPUT, @primary_id = @primary_id OUTPUT; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_add_jobschedule @job_id = N'00000000-0000-0000-0000-000000000001', @name = N'every 15 minutes', @enabled = 1, @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = 15, @freq_relative_interval = 0, @freq_recurrence_factor = 0, @active_start_date = 20260314, @active_end_date = 99991231, @active_start_time = 0, @active_end_time = 235959; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_add_log_shipping_primary_secondary @primary_database = N'mgc', @secondary_server = N'B\RTC', @secondary_database = N'mgc'; SELECT @rc AS rc
GO

DECLARE @rc int, @copy_job_id uniqueidentifier, @restore_job_id uniqueidentifier, @secondary_id uniqueidentifier; EXEC @rc = master.dbo.sp_add_log_shipping_secondary_primary @primary_server = N'P\RTC', @primary_database = N'mgc', @backup_source_directory = N'\\fs1\LogShip', @backup_destination_directory = N'E:\LSCopy', @copy_job_name = N'LSCopy_P\RTC_mgc', @restore_job_name = N'LSRestore_P\RTC_mgc', @file_retention_period = 4320, @monitor_server = N'B\RTC', @monitor_server_security_mode = 1, @copy_job_id = @copy_job_id OUTPUT, @restore_job_id = @restore_job_id OUTPUT, @secondary_id = @secondary_id OUTPUT; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = master.dbo.sp_add_log_shipping_secondary_database @secondary_database = N'mgc', @primary_server = N'P\RTC', @primary_database = N'mgc', @restore_delay = 0, @restore_all = 1, @restore_mode = 0, @disconnect_users = 0, @restore_threshold = 60, @threshold_alert = 14421, @threshold_alert_enabled = 1, @history_retention_period = 14420; SELECT @rc AS rc
GO

DECLARE @rc int, @backup_job_id uniqueidentifier, @primary_id uniqueidentifier; EXEC @rc = master.dbo.sp_add_log_shipping_primary_database @database = N'mgc', @backup_directory = N'\\fs1\LogShip', @backup_share = N'\\fs1\LogShip', @backup_job_name = N'LSBackup_mgc', @backup_retention_period = 4320, @monitor_server = N'PM\RTC', @monitor_server_security_mode = 1, @backup_threshold = 60, @threshold_alert = 14420, @threshold_alert_enabled = 1, @history_retention_period = 14420, @backup_compression = 2, @backup_job_id = @backup_job_id OUTPUT, @primary_id = @primary_id OUTPUT; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_id = N'00000000-0000-0000-0000-000000000001', @enabled = 1; SELECT @rc AS rc
GO

-- ==== what the workflows read, look at and lock

DECLARE @P1 int;
SELECT TOP (1) f.physical_device_name FROM msdb.dbo.backupmediafamily f WHERE f.media_set_id = @P1 ORDER BY f.family_sequence_number
GO

DECLARE @P1 int;
SELECT p.login_time, CAST(p.cmd AS nvarchar(16)) AS command_name FROM master.dbo.sysprocesses p WHERE p.spid = @P1 AND p.ecid = 0
GO

DECLARE @P1 nvarchar(4000), @P2 int;
SELECT TOP (30000) CAST(b.type AS nvarchar(1)) AS backup_type, b.family_guid, b.first_lsn, b.last_lsn, b.first_recovery_fork_guid, b.last_recovery_fork_guid, b.fork_point_lsn, CAST(b.is_copy_only AS int) AS is_copy_only, CASE WHEN b.server_name = @@SERVERNAME THEN 1 ELSE 0 END AS is_own, b.backup_finish_date, f.physical_device_name FROM msdb.dbo.backupset b LEFT JOIN msdb.dbo.backupmediafamily f ON f.media_set_id = b.media_set_id AND f.family_sequence_number = 1 WHERE b.database_name = @P1 AND b.type IN ('D', 'L') AND b.backup_set_id >= @P2 AND (b.server_name = @@SERVERNAME OR EXISTS (SELECT 1 FROM msdb.dbo.restorehistory h WHERE h.backup_set_id = b.backup_set_id AND h.destination_database_name = @P1 AND h.restore_type <> 'V')) ORDER BY b.backup_set_id DESC
GO

DECLARE @P1 nvarchar(4000), @P2 nvarchar(4000);
SELECT CAST(COUNT(*) AS int) AS found FROM msdb.dbo.log_shipping_secondary s WHERE s.primary_server = @P1 AND s.primary_database = @P2
GO

DECLARE @P1 nvarchar(4000), @P2 uniqueidentifier;
SELECT TOP (1) b.first_recovery_fork_guid, b.fork_point_lsn FROM msdb.dbo.restorehistory h JOIN msdb.dbo.backupset b ON b.backup_set_id = h.backup_set_id WHERE h.destination_database_name = @P1 AND h.restore_type <> 'V' AND b.last_recovery_fork_guid = @P2 AND b.first_recovery_fork_guid <> b.last_recovery_fork_guid AND b.fork_point_lsn IS NOT NULL ORDER BY h.restore_date DESC, h.restore_history_id DESC
GO

DECLARE @P1 nvarchar(4000);
SELECT CAST(d.page_verify_option AS int) AS page_verify, CAST(d.is_auto_shrink_on AS int) AS auto_shrink, CAST(d.is_auto_create_stats_on AS int) AS auto_create_stats, CAST(d.is_auto_update_stats_on AS int) AS auto_update_stats, CAST(d.is_read_committed_snapshot_on AS int) AS read_committed_snapshot, CAST(d.snapshot_isolation_state AS int) AS snapshot_isolation, CAST(d.is_parameterization_forced AS int) AS forced_parameters, CAST(d.is_encrypted AS int) AS is_encrypted FROM master.sys.databases d WHERE d.name = @P1
GO

DECLARE @P1 nvarchar(4000);
SELECT CAST(p.spid AS int) AS spid, CAST(p.loginame AS nvarchar(128)) AS login_name, CAST(p.hostname AS nvarchar(128)) AS host_name, CAST(p.program_name AS nvarchar(128)) AS program_name, CAST(p.status AS nvarchar(30)) AS status_name, CAST(p.cmd AS nvarchar(16)) AS command_name, p.login_time, CAST(p.open_tran AS int) AS open_transactions, CAST(s.is_user_process AS int) AS is_user_process FROM master.dbo.sysprocesses p JOIN master.sys.databases d ON d.database_id = p.dbid LEFT JOIN master.sys.dm_exec_sessions s ON s.session_id = p.spid WHERE d.name = @P1 AND p.ecid = 0 ORDER BY p.spid
GO

DECLARE @P1 nvarchar(4000);
SELECT DISTINCT CAST(p.spid AS int) AS spid, CAST(p.loginame AS nvarchar(128)) AS login_name, CAST(p.hostname AS nvarchar(128)) AS host_name, CAST(p.program_name AS nvarchar(128)) AS program_name, CAST(p.status AS nvarchar(30)) AS status_name, CAST(p.cmd AS nvarchar(16)) AS command_name, p.login_time, CAST(p.open_tran AS int) AS open_transactions, CAST(s.is_user_process AS int) AS is_user_process FROM master.dbo.sysprocesses p JOIN master.sys.dm_tran_locks l ON l.request_session_id = p.spid JOIN master.sys.databases d ON d.database_id = l.resource_database_id LEFT JOIN master.sys.dm_exec_sessions s ON s.session_id = p.spid WHERE d.name = @P1 AND l.resource_type = N'DATABASE' AND p.ecid = 0
GO

DECLARE @P1 nvarchar(4000);
SELECT DISTINCT v.volume_mount_point, CAST(v.available_bytes AS bigint) AS available_bytes FROM master.sys.master_files f JOIN master.sys.databases d ON d.database_id = f.database_id CROSS APPLY sys.dm_os_volume_stats(f.database_id, f.file_id) v WHERE d.name = @P1
GO

DECLARE @P1 nvarchar(4000);
SELECT MAX(h.backup_set_id) AS seeded FROM msdb.dbo.restorehistory h WHERE h.destination_database_name = @P1 AND h.restore_type = 'D'
GO

DECLARE @P1 nvarchar(4000);
SELECT TOP (1) f.redo_start_lsn, f.redo_start_fork_guid FROM master.sys.master_files f JOIN master.sys.databases d ON d.database_id = f.database_id WHERE d.name = @P1 AND f.type = 0 AND f.redo_start_lsn IS NOT NULL AND f.redo_start_fork_guid IS NOT NULL ORDER BY f.redo_start_lsn
GO

DECLARE @P1 nvarchar(4000);
SELECT TOP (1) h.restore_date, CAST(h.restore_type AS nvarchar(1)) AS restore_type, b.last_lsn, b.last_recovery_fork_guid, b.family_guid, b.backup_finish_date, b.media_set_id FROM msdb.dbo.restorehistory h JOIN msdb.dbo.backupset b ON b.backup_set_id = h.backup_set_id WHERE h.destination_database_name = @P1 AND h.restore_type <> 'V' ORDER BY h.restore_date DESC, h.restore_history_id DESC
GO

DECLARE @P1 nvarchar(4000);
SELECT TOP (50) CAST(b.type AS nvarchar(1)) AS backup_type, b.backup_finish_date, f.physical_device_name, CAST(b.is_copy_only AS int) AS is_copy_only FROM msdb.dbo.backupset b JOIN msdb.dbo.backupmediafamily f ON f.media_set_id = b.media_set_id WHERE b.database_name = @P1 AND b.server_name = @@SERVERNAME AND f.family_sequence_number = 1 ORDER BY b.backup_finish_date DESC, b.backup_set_id DESC
GO

DECLARE @P1 nvarchar(4000);
SELECT TOP (64) CAST(b.type AS nvarchar(1)) AS backup_type, b.backup_finish_date, f.physical_device_name, CAST(b.is_copy_only AS int) AS is_copy_only FROM msdb.dbo.backupset b JOIN msdb.dbo.backupmediafamily f ON f.media_set_id = b.media_set_id WHERE b.database_name = @P1 AND b.server_name = @@SERVERNAME AND f.family_sequence_number = 1 ORDER BY b.backup_finish_date DESC, b.backup_set_id DESC
GO

DECLARE @P1 nvarchar(4000);
SELECT b.server_name, b.database_name, b.family_guid, MAX(h.restore_history_id) AS newest FROM msdb.dbo.restorehistory h JOIN msdb.dbo.backupset b ON b.backup_set_id = h.backup_set_id WHERE h.destination_database_name = @P1 AND h.restore_type <> 'V' AND b.server_name <> @@SERVERNAME GROUP BY b.server_name, b.database_name, b.family_guid ORDER BY newest DESC
GO

DECLARE @P1 nvarchar(4000);
SELECT d.name FROM master.sys.databases d WHERE d.name = @P1
GO

DECLARE @P1 nvarchar(4000);
SELECT d.name, CAST(d.database_id AS int) AS database_id, CAST(d.state AS int) AS state_number, CAST(d.is_in_standby AS int) AS is_in_standby, CAST(d.is_read_only AS int) AS is_read_only, CAST(d.user_access AS int) AS user_access, CAST(d.recovery_model AS int) AS recovery_model, CAST(d.compatibility_level AS int) AS compatibility_level, d.collation_name, CAST(SUSER_SNAME(d.owner_sid) AS nvarchar(128)) AS owner_name, CAST(d.is_broker_enabled AS int) AS is_broker_enabled, CAST(d.is_trustworthy_on AS int) AS is_trustworthy_on, CAST(d.is_db_chaining_on AS int) AS is_db_chaining_on, CAST(d.is_auto_close_on AS int) AS is_auto_close_on, d.create_date FROM master.sys.databases d WHERE d.name = @P1
GO

DECLARE @P1 nvarchar(4000);
SELECT d.name, m.mirroring_guid, CAST(m.mirroring_role AS int) AS role_number, CAST(m.mirroring_state AS int) AS state_number, m.mirroring_partner_name, m.mirroring_partner_instance, m.mirroring_witness_name, CAST(m.mirroring_safety_level AS int) AS safety_level, m.mirroring_role_sequence, m.mirroring_connection_timeout FROM master.sys.database_mirroring m JOIN master.sys.databases d ON d.database_id = m.database_id WHERE d.name = @P1 AND m.mirroring_guid IS NOT NULL
GO

DECLARE @P1 nvarchar(4000);
SELECT d.secondary_database, d.secondary_id, s.primary_server, s.primary_database, s.backup_source_directory, s.backup_destination_directory, s.file_retention_period, s.copy_job_id, s.restore_job_id, s.monitor_server, s.monitor_server_security_mode, s.last_copied_file, s.last_copied_date, d.restore_delay, d.restore_all, d.restore_mode, d.disconnect_users, d.block_size, d.buffer_count, d.max_transfer_size, d.last_restored_file, d.last_restored_date FROM msdb.dbo.log_shipping_secondary_databases d JOIN msdb.dbo.log_shipping_secondary s ON s.secondary_id = d.secondary_id WHERE d.secondary_database = @P1
GO

DECLARE @P1 nvarchar(4000);
SELECT f.file_id, CAST(f.type AS int) AS type_number, f.name, f.physical_name, CAST(f.size AS bigint) AS pages FROM master.sys.master_files f JOIN master.sys.databases d ON d.database_id = f.database_id WHERE d.name = @P1 ORDER BY f.file_id
GO

DECLARE @P1 nvarchar(4000);
SELECT j.job_id FROM msdb.dbo.sysjobs j WHERE j.name = @P1
GO

DECLARE @P1 nvarchar(4000);
SELECT m.primary_server, m.primary_database, m.last_backup_file, m.last_backup_date_utc, m.backup_threshold FROM msdb.dbo.log_shipping_monitor_primary m WHERE m.primary_database = @P1 ORDER BY m.primary_server
GO

DECLARE @P1 nvarchar(4000);
SELECT p.primary_database, p.primary_id, p.backup_directory, p.backup_share, p.backup_retention_period, p.backup_job_id, p.monitor_server, p.monitor_server_security_mode, p.last_backup_file, p.last_backup_date, p.backup_compression FROM msdb.dbo.log_shipping_primary_databases p WHERE p.primary_database = @P1
GO

DECLARE @P1 nvarchar(4000);
SELECT s.family_guid, s.recovery_fork_guid, s.last_log_backup_lsn FROM master.sys.database_recovery_status s JOIN master.sys.databases d ON d.database_id = s.database_id WHERE d.name = @P1
GO

DECLARE @P1 uniqueidentifier, @P2 nvarchar(4000);
SELECT d.secondary_database FROM msdb.dbo.log_shipping_secondary_databases d WHERE d.secondary_id = @P1 AND d.secondary_database <> @P2 ORDER BY d.secondary_database
GO

DECLARE @P1 uniqueidentifier, @P2 nvarchar(4000);
SELECT m.restore_threshold, m.threshold_alert, m.threshold_alert_enabled, m.history_retention_period, m.last_copied_file, m.last_copied_date_utc, m.last_restored_file, m.last_restored_date_utc, m.last_restored_latency FROM msdb.dbo.log_shipping_monitor_secondary m WHERE m.secondary_id = @P1 AND m.secondary_database = @P2
GO

DECLARE @P1 uniqueidentifier;
SELECT CAST(COUNT(*) AS int) AS running FROM msdb.dbo.sysjobactivity a WHERE a.job_id = @P1 AND a.start_execution_date IS NOT NULL AND a.stop_execution_date IS NULL AND a.session_id = (SELECT MAX(b.session_id) FROM msdb.dbo.sysjobactivity b)
GO

DECLARE @P1 uniqueidentifier;
SELECT TOP (1) CAST(h.instance_id AS int) AS instance_id, CAST(h.run_status AS int) AS run_status, h.message FROM msdb.dbo.sysjobhistory h WHERE h.job_id = @P1 AND h.step_id = 0 ORDER BY h.instance_id DESC
GO

DECLARE @P1 uniqueidentifier;
SELECT TOP (1) s.command FROM msdb.dbo.sysjobsteps s WHERE s.job_id = @P1 ORDER BY s.step_id
GO

DECLARE @P1 uniqueidentifier;
SELECT j.job_id, j.name, CAST(j.enabled AS int) AS enabled, j.description, CAST(SUSER_SNAME(j.owner_sid) AS nvarchar(128)) AS owner_name FROM msdb.dbo.sysjobs j WHERE j.job_id = @P1
GO

DECLARE @P1 uniqueidentifier;
SELECT m.primary_server, m.backup_threshold, m.threshold_alert, m.threshold_alert_enabled, m.history_retention_period FROM msdb.dbo.log_shipping_monitor_primary m WHERE m.primary_id = @P1
GO

DECLARE @P1 uniqueidentifier;
SELECT s.schedule_id, s.name, CAST(s.enabled AS int) AS enabled, s.freq_type, s.freq_interval, s.freq_subday_type, s.freq_subday_interval, s.freq_relative_interval, s.freq_recurrence_factor, s.active_start_date, s.active_end_date, s.active_start_time, s.active_end_time FROM msdb.dbo.sysjobschedules js JOIN msdb.dbo.sysschedules s ON s.schedule_id = js.schedule_id WHERE js.job_id = @P1 ORDER BY s.schedule_id
GO

DECLARE @P1 uniqueidentifier;
SELECT s.secondary_server, s.secondary_database FROM msdb.dbo.log_shipping_primary_secondaries s WHERE s.primary_id = @P1 ORDER BY s.secondary_server, s.secondary_database
GO

DECLARE @rc int; EXEC @rc = sp_getapplock @Resource = N'PersistentChatFailover:mgc', @LockMode = 'Exclusive', @LockOwner = 'Session', @LockTimeout = 0; SELECT @rc AS rc
GO

DECLARE @rc int; EXEC @rc = sp_releaseapplock @Resource = N'PersistentChatFailover:mgc', @LockOwner = 'Session'; SELECT @rc AS rc
GO

EXEC master.dbo.xp_fileexist N'C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\Backup'
GO

EXEC master.dbo.xp_fileexist N'C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\Backup\mgc_20260314021500.bak'
GO

EXEC master.dbo.xp_fileexist N'C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\Backup\mgc_20260314021500.trn'
GO

EXEC master.dbo.xp_fileexist N'E:\LSCopy'
GO

EXEC master.dbo.xp_fileexist N'E:\LSCopy\archive_20260314021500'
GO

EXEC master.dbo.xp_fileexist N'E:\LSCopy\pchat-proof-0.tmp'
GO

EXEC master.dbo.xp_fileexist N'E:\Reverse'
GO

EXEC master.dbo.xp_fileexist N'\\fs1\LogShip'
GO

EXEC master.dbo.xp_fileexist N'\\fs1\LogShip\archive_20260314021500'
GO

EXEC master.dbo.xp_fileexist N'\\fs1\LogShip\mgc_20260314021500.bak'
GO

EXEC master.dbo.xp_fileexist N'\\fs1\LogShip\mgc_20260314021500.trn'
GO

EXEC master.dbo.xp_fileexist N'\\fs1\LogShip\mgc_closing_20260314021500.bak'
GO

EXEC master.dbo.xp_fileexist N'\\fs1\LogShip\mgc_saved_P-RTC_20260314021500.bak'
GO

EXEC master.dbo.xp_fileexist N'\\fs1\LogShip\mgc_saved_PM-RTC_20260314021500.bak'
GO

EXEC master.dbo.xp_fileexist N'\\fs1\LogShip\pchat-proof-0.tmp'
GO

EXEC master.dbo.xp_fileexist N'\\fs1\LogShip\reverse'
GO

EXEC master.dbo.xp_fileexist N'\\fs2\mirror'
GO

EXEC master.dbo.xp_fixeddrives
GO

EXEC master.dbo.xp_instance_regread N'HKEY_LOCAL_MACHINE', N'Software\Microsoft\MSSQLServer\MSSQLServer', N'BackupDirectory'
GO

EXEC master.sys.xp_dirtree N'E:\LSCopy', 1, 1
GO

EXEC master.sys.xp_dirtree N'\\fs1\LogShip', 1, 1
GO

RESTORE FILELISTONLY FROM DISK = N'\\fs1\LogShip\mgc_20260314021500.bak' WITH FILE = 1
GO

RESTORE HEADERONLY FROM DISK = N'C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\Backup\mgc_20260314021500.bak'
GO

RESTORE HEADERONLY FROM DISK = N'C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\Backup\mgc_20260314021500.trn'
GO

RESTORE HEADERONLY FROM DISK = N'E:\LSCopy\mgc_20260314021500.trn'
GO

RESTORE HEADERONLY FROM DISK = N'\\fs1\LogShip\mgc_20260314021500.bak'
GO

RESTORE HEADERONLY FROM DISK = N'\\fs1\LogShip\mgc_20260314021500.trn'
GO

RESTORE HEADERONLY FROM DISK = N'\\fs1\LogShip\mgc_closing_20260314021500.bak'
GO

RESTORE HEADERONLY FROM DISK = N'\\fs1\LogShip\mgc_saved_P-RTC_20260314021500.bak'
GO

RESTORE HEADERONLY FROM DISK = N'\\fs1\LogShip\mgc_saved_PM-RTC_20260314021500.bak'
GO

RESTORE HEADERONLY FROM DISK = N'\\fs1\LogShip\reverse\mgc_20260314021500.trn'
GO

RESTORE HEADERONLY FROM DISK = N'\\fs2\mirror\mgc.trn'
GO

RESTORE LABELONLY FROM DISK = N'C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\Backup\mgc_20260314021500.bak'
GO

RESTORE LABELONLY FROM DISK = N'C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\Backup\mgc_20260314021500.trn'
GO

RESTORE LABELONLY FROM DISK = N'E:\LSCopy\mgc_20260314021500.trn'
GO

RESTORE LABELONLY FROM DISK = N'\\fs1\LogShip\mgc_20260314021500.bak'
GO

RESTORE LABELONLY FROM DISK = N'\\fs1\LogShip\mgc_20260314021500.trn'
GO

RESTORE LABELONLY FROM DISK = N'\\fs1\LogShip\mgc_closing_20260314021500.bak'
GO

RESTORE LABELONLY FROM DISK = N'\\fs1\LogShip\mgc_saved_P-RTC_20260314021500.bak'
GO

RESTORE LABELONLY FROM DISK = N'\\fs1\LogShip\mgc_saved_PM-RTC_20260314021500.bak'
GO

RESTORE LABELONLY FROM DISK = N'\\fs1\LogShip\reverse\mgc_20260314021500.trn'
GO

RESTORE LABELONLY FROM DISK = N'\\fs2\mirror\mgc.trn'
GO

RESTORE VERIFYONLY FROM DISK = N'C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\Backup\mgc_20260314021500.bak' WITH FILE = 1, CHECKSUM
GO

RESTORE VERIFYONLY FROM DISK = N'C:\Program Files\Microsoft SQL Server\MSSQL13.RTC\MSSQL\Backup\mgc_20260314021500.trn' WITH FILE = 1
GO

RESTORE VERIFYONLY FROM DISK = N'\\fs1\LogShip\mgc_20260314021500.bak' WITH FILE = 1, CHECKSUM
GO

RESTORE VERIFYONLY FROM DISK = N'\\fs1\LogShip\mgc_20260314021500.trn' WITH FILE = 1, CHECKSUM
GO

RESTORE VERIFYONLY FROM DISK = N'\\fs1\LogShip\mgc_closing_20260314021500.bak' WITH FILE = 1, CHECKSUM
GO

RESTORE VERIFYONLY FROM DISK = N'\\fs1\LogShip\mgc_saved_P-RTC_20260314021500.bak' WITH FILE = 1, CHECKSUM
GO

RESTORE VERIFYONLY FROM DISK = N'\\fs1\LogShip\mgc_saved_PM-RTC_20260314021500.bak' WITH FILE = 1, CHECKSUM
GO

SELECT CAST(@@SERVERNAME AS nvarchar(128)) AS server_name, CAST(SERVERPROPERTY('MachineName') AS nvarchar(128)) AS machine_name, CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS product_version, CAST(SERVERPROPERTY('Edition') AS nvarchar(128)) AS edition, CAST(SERVERPROPERTY('EngineEdition') AS int) AS engine_edition, CAST(SERVERPROPERTY('Collation') AS nvarchar(128)) AS collation_name, CAST(SERVERPROPERTY('PChatLab') AS nvarchar(128)) AS lab_id, CAST(SUSER_SNAME() AS nvarchar(128)) AS login_name, CAST(IS_SRVROLEMEMBER('sysadmin') AS int) AS is_sysadmin, CAST(HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE') AS int) AS sees_all_sessions, CAST(DATEDIFF(second, GETUTCDATE(), GETDATE()) AS int) AS offset_seconds, GETUTCDATE() AS now_utc
GO

SELECT CAST(@@SPID AS int) AS spid
GO

SELECT CAST(COUNT(*) AS int) AS found FROM master.sys.all_parameters p JOIN master.sys.all_objects o ON o.object_id = p.object_id WHERE o.name = N'sp_delete_log_shipping_secondary_database' AND p.name = N'@ignoreremotemonitor'
GO

SELECT CAST(COUNT(*) AS int) AS sessions FROM master.dbo.sysprocesses WHERE program_name LIKE N'SQLAgent%'
GO

SELECT CAST(SERVERPROPERTY('InstanceDefaultBackupPath') AS nvarchar(260)) AS folder
GO

SELECT CAST(SERVERPROPERTY('InstanceDefaultDataPath') AS nvarchar(260)) AS folder
GO

SELECT CAST(l.resource_description AS nvarchar(256)) AS description, CAST(l.request_session_id AS int) AS spid, s.host_name, s.program_name, s.login_name, s.login_time FROM master.sys.dm_tran_locks l LEFT JOIN master.sys.dm_exec_sessions s ON s.session_id = l.request_session_id WHERE l.resource_type = N'APPLICATION' AND l.request_mode = N'X' AND l.request_status = N'GRANT'
GO

SELECT CAST(p.default_language_name AS nvarchar(128)) AS language_name FROM master.sys.server_principals p WHERE p.name = SUSER_SNAME()
GO

SELECT CAST(s.status AS int) AS status FROM sys.dm_server_services s WHERE UPPER(s.filename) LIKE N'%SQLAGENT%'
GO

SELECT COUNT_BIG(*) AS row_count FROM [mgc].[dbo].[tblChat]
GO

SELECT COUNT_BIG(*) AS row_count FROM [mgccomp].dbo.tblComplianceData WHERE cmplType <> 9
GO

SELECT COUNT_BIG(*) AS row_count, DATEDIFF(SECOND, MIN(entryDate), GETDATE()) AS oldest_seconds FROM [mgccomp].dbo.tblComplianceData WHERE cmplType <> 9
GO

SELECT TOP (1) a.alert_job_id FROM msdb.dbo.log_shipping_monitor_alert a
GO

SELECT TOP (1) s.name AS schema_name, t.name AS table_name FROM [mgc].sys.tables t JOIN [mgc].sys.schemas s ON s.schema_id = t.schema_id JOIN [mgc].sys.partitions p ON p.object_id = t.object_id WHERE p.index_id IN (0, 1) AND t.is_ms_shipped = 0 ORDER BY p.rows DESC, t.name
GO

SELECT e.name, CAST(e.state AS int) AS state_number, CAST(e.role AS int) AS role_number, CAST(t.port AS int) AS port FROM master.sys.database_mirroring_endpoints e LEFT JOIN master.sys.tcp_endpoints t ON t.endpoint_id = e.endpoint_id
GO

SELECT f.file_or_directory_name, CAST(f.is_directory AS int) AS is_directory, CAST(f.size_in_bytes AS bigint) AS size_in_bytes, f.last_write_time FROM sys.dm_os_enumerate_filesystem(N'E:\LSCopy', N'*') f WHERE f.level = 0 ORDER BY f.file_or_directory_name
GO

SELECT f.file_or_directory_name, CAST(f.is_directory AS int) AS is_directory, CAST(f.size_in_bytes AS bigint) AS size_in_bytes, f.last_write_time FROM sys.dm_os_enumerate_filesystem(N'\\fs1\LogShip', N'*') f WHERE f.level = 0 ORDER BY f.file_or_directory_name
GO

SELECT p.name, CAST(p.type AS nvarchar(1)) AS login_type, p.sid, CAST(p.is_disabled AS int) AS is_disabled FROM master.sys.server_principals p WHERE p.type IN ('S', 'U', 'G') AND p.sid IS NOT NULL ORDER BY p.name
GO

SELECT u.name, CAST(u.type AS nvarchar(1)) AS user_type FROM [mgc].sys.database_principals u LEFT JOIN master.sys.server_principals p ON p.sid = u.sid WHERE u.type IN ('S', 'U', 'G') AND u.principal_id > 4 AND u.sid IS NOT NULL AND p.sid IS NULL ORDER BY u.name
GO

SELECT u.name, CAST(u.type AS nvarchar(1)) AS user_type, u.sid, p.name AS login_name FROM [mgc].sys.database_principals u LEFT JOIN master.sys.server_principals p ON p.sid = u.sid WHERE u.type IN ('S', 'U', 'G') AND u.principal_id > 4 AND u.sid IS NOT NULL ORDER BY u.name
GO

SELECT u.name, CAST(u.type AS nvarchar(1)) AS user_type, u.sid, p.name AS login_name FROM [mgccomp].sys.database_principals u LEFT JOIN master.sys.server_principals p ON p.sid = u.sid WHERE u.type IN ('S', 'U', 'G') AND u.principal_id > 4 AND u.sid IS NOT NULL ORDER BY u.name
GO

SET LANGUAGE us_english; SET LOCK_TIMEOUT 30000; SET IMPLICIT_TRANSACTIONS OFF; SELECT CAST(@@SPID AS int) AS spid
GO
