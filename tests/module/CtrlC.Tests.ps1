# Ctrl+C on a real terminal: answered within a second with the state reached and how to go on.
BeforeDiscovery {
    $python = Get-Command python3 -ErrorAction Ignore
    $onPty = [bool] $python -and $PSVersionTable.PSVersion.Major -ge 6 -and -not $IsWindows
    if (-not $onPty) {
        Write-Host 'pester: Ctrl+C was not tested, it wants python3 and a pseudo terminal'
    }
}

BeforeAll {
    Import-Module "$PSScriptRoot/Suite.psm1" -DisableNameChecking

    function Invoke-OnTerminal {
        param($Lab, [string] $Script, [string] $Pattern, [string] $Keys = '^C', [double] $Delay = 0.3)
        $file = Join-Path ([IO.Path]::GetTempPath()) ('pchat-pty-' + [guid]::NewGuid().ToString('N') + '.ps1')
        $head = "Import-Module '$(Join-Path $PSScriptRoot 'Suite.psm1')' -DisableNameChecking; Import-Product; `$lab = Connect-TestLab '$($Lab.Control)' '$($Lab.JournalPath)'; Import-StandIn `$lab"
        Set-Content -LiteralPath $file -Value "$head`n$Script"
        try {
            $text = python3 (Join-Path $PSScriptRoot 'terminal.py') 60 $Pattern $Keys $Delay -- (Get-Process -Id $PID).Path -NoLogo -NoProfile -File $file
            $text | ConvertFrom-Json
        } finally {
            Remove-Item -LiteralPath $file
        }
    }
}

AfterAll { Remove-Module PChatLab.Lync -ErrorAction Ignore }

Describe 'Ctrl+C' -Skip:(-not $onPty) {
    It 'while log backups are copied: told within a second; the jobs are on again; no half-written file' {
        $lab = Start-OwnLab @{
            name = 'slow'; primary_site_lost = $true
            log_shipping = @{ log_backups = 12; not_copied = 8; not_restored = 9; log_backup_kilobytes = 4096 }
        } -StandIn
        try {
            $script = '$p = Get-FailoverParameter $lab; Invoke-PChatFailover @p -Force -MaxMegabytesPerSecond 4 -Verbose | Format-List Number, Title'
            $seen = Invoke-OnTerminal $lab $script -Pattern 'Number' -Delay 2
            $seen.sent | Should -BeTrue
            $seen.seconds | Should -BeLessThan 1 -Because $seen.after
            $seen.after | Should -Match 'Resume-PChatRun|Undo-PChatRun|put back|jobs'
            # Whether the shell lived long enough to put them back or not, one command does.
            $run = Get-RunParameter $lab
            Undo-PChatRun @run -Force -ErrorAction SilentlyContinue | Out-Null
            $jobs = (Send-Lab $lab 'state').instances.'B\RTC'.jobs | Where-Object name -Match '^LS(Copy|Restore)'
            $jobs.enabled | Should -Not -Contain $false
            foreach ($file in Get-ChildItem -File $lab.PathMap['E:\LSCopy'] -Filter *.trn) {
                $file.Length | Should -Be (Get-Item (Join-Path $lab.PathMap['\\FS1\LogShip'] $file.Name)).Length
            }
        } finally {
            Stop-TestLab $lab
        }
    }

    It 'in the middle of a native command: told within a second' {
        $lab = Start-TestLab small -StandIn
        try {
            # The command hangs only once the run is on its way: its check comes before.
            $script = @'
$p = Get-FailoverParameter $lab
Invoke-PChatFailover @p -Force | ForEach-Object {
    if ($_.Name -eq 'copy_and_restore') { $null = Send-Lab $lab fault @{ name = 'native_hangs'; args = @{ command = 'Set-CsPersistentChatState' } } }
    "step $($_.Name)"
}
'@
            $seen = Invoke-OnTerminal $lab $script -Pattern 'step recover' -Delay 2.5
            $seen.sent | Should -BeTrue
            $seen.seconds | Should -BeLessThan 1 -Because $seen.after
            $seen.after | Should -Match 'Resume-PChatRun'
        } finally {
            Stop-TestLab $lab
        }
    }

    It 'in the middle of a sync that hangs: told within a second, and another process finishes' {
        $lab = Start-TestLab conference-lost -StandIn
        try {
            $hangs = @{ name = 'native_hangs'; args = @{ command = 'Invoke-CsBackupServiceSync' } }
            $null = Send-Lab $lab fault $hangs
            $script = '"going"; Invoke-PChatConferenceRestore pool1.contoso.com -JournalPath $lab.JournalPath -PathMap $lab.PathMap -Force | Out-Null'
            $seen = Invoke-OnTerminal $lab $script -Pattern 'going' -Delay 8
            $seen.sent | Should -BeTrue
            $seen.seconds | Should -BeLessThan 1 -Because $seen.after
            $seen.after | Should -Match 'Resume-PChatRun'
            $null = Send-Lab $lab fault ($hangs + @{ on = $false })
            $r = Resume-PChatRun -JournalPath $lab.JournalPath -Force
            ($r | Select-Object -Last 1).ExitCode | Should -Be 0
            ((Send-Lab $lab 'state').pool.conference_content | Where-Object pool_fqdn -EQ 'pool1.contoso.com').present | Should -Be 250
        } finally {
            Stop-TestLab $lab
        }
    }

    It 'while the backup service is waited for: the wait ends' {
        $lab = Start-TestLab conference-lost -StandIn
        try {
            $seen = Invoke-OnTerminal $lab 'Wait-PChatBackupService pool2.contoso.com -SyncIntervalSeconds 60' -Pattern 'too early' -Delay 1
            $seen.sent | Should -BeTrue
            $seen.seconds | Should -BeLessThan 1 -Because $seen.after
        } finally {
            Stop-TestLab $lab
        }
    }

    It 'at the question: nothing was changed' {
        $lab = Start-TestLab small -StandIn
        try {
            $before = Get-LabEffect $lab
            $seen = Invoke-OnTerminal $lab '$p = Get-FailoverParameter $lab; Invoke-PChatFailover @p' -Pattern '"Y")'
            $seen.before | Should -Match 'Loss:'
            $seen.seconds | Should -BeLessThan 1
            $seen.after | Should -Match 'nothing was changed'
            Get-LabEffect $lab | Should -Be $before
        } finally {
            Stop-TestLab $lab
        }
    }

    It 'answered with no: declined, and asked only once' {
        $lab = Start-TestLab small -StandIn
        try {
            $before = Get-LabEffect $lab
            $seen = Invoke-OnTerminal $lab '$p = Get-FailoverParameter $lab; $r = Invoke-PChatFailover @p; "code $($r.ExitCode)"' -Pattern '"Y")' -Keys "n`r"
            $seen.after | Should -Match 'code 5'
            ([regex]::Matches($seen.before + $seen.after, '\(default is "Y"\)')).Count | Should -Be 1
            Get-LabEffect $lab | Should -Be $before
        } finally {
            Stop-TestLab $lab
        }
    }

    It 'shows progress on the way' {
        $lab = Start-OwnLab @{
            name = 'slow'; primary_site_lost = $true
            log_shipping = @{ log_backups = 6; not_copied = 4; not_restored = 5; log_backup_kilobytes = 2048 }
        }
        try {
            $seen = Invoke-OnTerminal $lab '$p = Get-FolderParameter $lab; Copy-PChatLogBackup @p -MaxMegabytesPerSecond 4 | Out-Null; "all copied"' -Pattern 'all copied' -Keys ' '
            $seen.before | Should -Match 'Copy|copy'
            $seen.before | Should -Match '%|\d of \d|\[.*\]'
        } finally {
            Stop-TestLab $lab
        }
    }
}
