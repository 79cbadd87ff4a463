# A real run meets no stand-in, and a run against the lab no other command.
BeforeAll {
    Import-Module "$PSScriptRoot/../Suite.psm1" -DisableNameChecking
    $lab = Start-TestLab small -StandIn
    $parameters = Get-FailoverParameter $lab
    $folder = Join-Path ([IO.Path]::GetTempPath()) "pchat-lync-$PID"
    New-Item -ItemType Directory (Join-Path $folder 'Lync') | Out-Null
    # Commands with the names of the real ones, which note that they were called with an effect.
    $names = 'Get-CsService', 'Get-CsPool', 'Get-CsPersistentChatState', 'Set-CsPersistentChatState', 'Set-CsPersistentChatActiveServer',
        'Get-CsManagementStoreReplicationStatus', 'Install-CsMirrorDatabase', 'Get-CsWindowsService'
    $functions = foreach ($name in $names) {
        "function $name { [CmdletBinding(SupportsShouldProcess)] param(`$Identity, `$PoolState, `$ActiveServers, [switch] `$PersistentChatServer, [switch] `$PersistentChatDatabase, `$ComputerName) if (-not `$WhatIfPreference -and '$name' -notlike 'Get-*') { Add-Content '$folder/touched' '$name' } }"
    }
    Set-Content (Join-Path $folder 'Lync/Lync.psm1') $functions
    New-ModuleManifest (Join-Path $folder 'Lync/Lync.psd1') -RootModule Lync.psm1 -FunctionsToExport $names
}

AfterAll {
    Remove-Module Lync, PChatLab.Lync -ErrorAction Ignore
    Stop-TestLab $lab
    Remove-Item -Recurse -Force $folder
}

Describe 'With both sets of commands in the shell' {
    It 'a run against the lab refuses the other module''s commands, and touches none' {
        Import-Module (Join-Path $folder 'Lync/Lync.psd1') -Global
        $before = Get-LabEffect $lab
        $r = Invoke-PChatFailover @parameters -Force -ErrorVariable failed -ErrorAction SilentlyContinue
        $result = $r | Select-Result
        $result.ExitCode | Should -Be 3
        $failed[0].Exception.Message | Should -Match 'CommandsAreReal is `Get-CsService from Lync`'
        Join-Path $folder 'touched' | Should -Not -Exist
        Get-LabEffect $lab | Should -Be $before
    }

    It 'a plan made with the stand-ins is not run with the others' {
        Remove-Module Lync
        Import-Module $lab.StandInModule -Global -Force
        Connect-PChatLabLync -Control $lab.Control
        $plan = New-PChatFailoverPlan @parameters
        $plan.CanRun | Should -BeTrue
        Import-Module (Join-Path $folder 'Lync/Lync.psd1') -Global
        $connection = $lab.Connection
        $r = $plan | Invoke-PChatFailover @connection -Force -ErrorVariable failed -ErrorAction SilentlyContinue
        ($r | Select-Result).ExitCode | Should -Be 3
        Join-Path $folder 'touched' | Should -Not -Exist
    }

    It 'a drill takes the stand-ins all the same' {
        $drill = Invoke-PChatDrill small
        $drill.Outcome | Should -Be 'done' -Because "$($drill.Error)"
        Join-Path $folder 'touched' | Should -Not -Exist
    }
}
