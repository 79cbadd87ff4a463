@{
    RootModule        = 'PChatLab.Lync.psm1'
    ModuleVersion     = '0.1.0'
    GUID              = '5f0c6a0e-3d9b-4f63-9c51-7a6b7f0f2f41'
    Author            = 'PersistentChatFailover'
    Description       = 'Stand-ins for the Lync Server and Skype for Business Server commands, talking to the lab. They reach no real pool.'
    PowerShellVersion = '3.0'

    FunctionsToExport = @(
        'Connect-PChatLabLync',
        'Debug-CsInterPoolReplication',
        'Get-CsBackupServiceConfiguration',
        'Get-CsBackupServiceStatus',
        'Get-CsDatabaseMirrorState',
        'Get-CsHealthMonitoringConfiguration',
        'Get-CsManagementStoreReplicationStatus',
        'Get-CsPersistentChatState',
        'Get-CsPool',
        'Get-CsPoolBackupRelationship',
        'Get-CsService',
        'Get-CsWindowsService',
        'Install-CsMirrorDatabase',
        'Invoke-CsBackupServiceSync',
        'Invoke-CsDatabaseFailover',
        'Invoke-CsManagementServerFailover',
        'Invoke-CsManagementStoreReplication',
        'Invoke-CsPoolFailBack',
        'Invoke-CsPoolFailOver',
        'Set-CsPersistentChatActiveServer',
        'Set-CsPersistentChatState',
        'Start-CsWindowsService',
        'Stop-CsWindowsService',
        'Test-CsDatabase',
        'Test-CsPersistentChatMessage',
        'Uninstall-CsMirrorDatabase'
    )
    CmdletsToExport   = @()
    VariablesToExport = @()
    AliasesToExport   = @()

    PrivateData       = @{
        # The mark by which these commands are told from the real ones.
        PChatStandIn = $true
        PSData       = @{
            Tags = @('PersistentChat', 'lab')
        }
    }
}
