@{
    RootModule             = 'module/PersistentChatFailover.dll'
    ModuleVersion          = '0.1.0'
    GUID                   = '3c0f1b52-8f6e-4f0b-9a7d-2b1f5f6f3a10'
    Author                 = 'PersistentChatFailover'
    CompanyName            = 'PersistentChatFailover'
    Copyright              = '(c) PersistentChatFailover. MIT licence.'
    Description            = 'Failover of a log-shipped Persistent Chat database (mgc) of Lync Server and Skype for Business Server: evidence, plan, gate, run, journal.'

    PowerShellVersion      = '3.0'
    DotNetFrameworkVersion = '4.5'
    CLRVersion             = '4.0'
    ProcessorArchitecture  = 'Amd64'

    TypesToProcess         = @('module/PersistentChatFailover.Types.ps1xml')
    FormatsToProcess       = @('module/PersistentChatFailover.Format.ps1xml')

    FunctionsToExport      = @()
    CmdletsToExport        = @(
        'Backup-PChatDatabase',
        'Copy-PChatLogBackup',
        'Disable-PChatPrimary',
        'Get-PChatBaseline',
        'Get-PChatConnection',
        'Get-PChatLogBackup',
        'Get-PChatLogShipping',
        'Get-PChatMirror',
        'Get-PChatRun',
        'Invoke-PChatConferenceRestore',
        'Invoke-PChatDrill',
        'Invoke-PChatFailback',
        'Invoke-PChatFailover',
        'New-PChatFailbackPlan',
        'New-PChatFailoverPlan',
        'New-PChatLogShipping',
        'Remove-PChatLogShipping',
        'Remove-PChatMirror',
        'Restore-PChatDatabase',
        'Restore-PChatLogBackup',
        'Resume-PChatRun',
        'Save-PChatBaseline',
        'Start-PChatLab',
        'Stop-PChatConnection',
        'Stop-PChatLab',
        'Test-PChatFailover',
        'Test-PChatInstallation',
        'Undo-PChatRun',
        'Wait-PChatBackupService'
    )
    VariablesToExport      = @()
    AliasesToExport        = @()

    PrivateData            = @{
        PSData = @{
            Tags = @('PersistentChat', 'Lync', 'SkypeForBusiness', 'SQLServer', 'failover')
        }
    }
}
