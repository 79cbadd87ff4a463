# The checks of the installation, in this build and in copies of it that were damaged.
BeforeAll {
    Import-Module "$PSScriptRoot/Suite.psm1" -DisableNameChecking
    Import-Product
    $root = Get-ProjectRoot

    # A copy of what is installed, with its list of hashes.
    function New-Copy {
        $copy = Join-Path ([IO.Path]::GetTempPath()) ('pchat-copy-' + [guid]::NewGuid().ToString('N'))
        New-Item -ItemType Directory (Join-Path $copy 'module') | Out-Null
        Copy-Item (Join-Path $root 'PersistentChatFailover.psd1') $copy
        Copy-Item (Join-Path $root 'module/PersistentChatFailover.dll'), (Join-Path $root 'module/PersistentChatFailover.Format.ps1xml'), (Join-Path $root 'module/PersistentChatFailover.Types.ps1xml') (Join-Path $copy 'module')
        Copy-Item -Recurse (Join-Path $root 'module/native') (Join-Path $copy 'module')
        $lines = Get-ChildItem $copy -Recurse -File | ForEach-Object {
            (Get-FileHash $_.FullName -Algorithm SHA256).Hash.ToLowerInvariant() + '  ' + $_.FullName.Substring($copy.Length + 1).Replace('\', '/')
        }
        Set-Content (Join-Path $copy 'SHA256SUMS.txt') $lines
        $copy
    }

    # The checks of a copy, in a shell of its own.
    function Test-Copy {
        param([string] $Copy)
        $child = Invoke-Child -Bare "Import-Module '$Copy/PersistentChatFailover.psd1' -ErrorAction Stop; Test-PChatInstallation | ForEach-Object { '{0}={1}|{2}|{3}' -f `$_.Name, `$_.State, `$_.Value, `$_.Message }"
        $checks = @{}
        foreach ($line in $child.Output -split "`r?`n") {
            if ($line -match '^(\w+)=(\w+)\|(.*)$') { $checks[$Matches[1]] = @{ State = $Matches[2]; Text = $Matches[3] } }
        }
        $checks
    }

    $copies = New-Object System.Collections.ArrayList
}

AfterAll {
    $copies | ForEach-Object { Remove-Item -Recurse -Force $_ }
}

Describe 'Test-PChatInstallation' {
    It 'tells of every part, and that this build has no list of hashes' {
        $checks = Test-PChatInstallation
        $checks.Name | Should -Be @('Files', 'ZoneMarks', 'Shell', 'Framework', 'ExecutionPolicy', 'Library', 'Lab', 'Tls', 'Elevation', 'NativeCommands')
        $checks | ForEach-Object { $_.State | Should -BeIn 'passed', 'warning', 'failed', 'unknown'; $_.Value | Should -Not -BeNullOrEmpty; $_.Wanted | Should -Not -BeNullOrEmpty }
        $checks | Where-Object State -NE passed | ForEach-Object { $_.Message | Should -Not -BeNullOrEmpty -Because $_.Name }
        ($checks | Where-Object Name -EQ Files).State | Should -Be 'unknown'
        ($checks | Where-Object Name -EQ Library).State | Should -Be 'passed'
    }

    It 'finds a whole copy whole' {
        $copy = New-Copy
        [void] $copies.Add($copy)
        $checks = Test-Copy $copy
        $checks.Files.State | Should -Be 'passed' -Because $checks.Files.Text
        $checks.Library.State | Should -Be 'passed'
        $checks.Library.Text | Should -Match ([regex]::Escape($copy))
    }

    It 'names a changed, a missing and an added file' {
        $copy = New-Copy
        [void] $copies.Add($copy)
        Add-Content (Join-Path $copy 'module/PersistentChatFailover.Format.ps1xml') ' '
        Get-ChildItem (Join-Path $copy 'module/native') -Recurse -File -Filter 'pchat-lab*' | Remove-Item
        Set-Content (Join-Path $copy 'module/added.ps1') 'exit'
        $checks = Test-Copy $copy
        $checks.Files.State | Should -Be 'failed'
        $checks.Files.Text | Should -Match 'Format.ps1xml was changed'
        $checks.Files.Text | Should -Match 'pchat-lab(\.exe)? is missing'
        $checks.Files.Text | Should -Match 'added.ps1 is not of this package'
        $checks.Lab.State | Should -Be 'warning'
    }

    It 'works where the native library does not: <Name>' -ForEach @(
        @{ Name = 'missing'; Do = { param($file) Remove-Item $file }; Says = 'native library is missing' }
        @{ Name = 'no library at all'; Do = { param($file) Set-Content $file 'not a library' }; Says = 'cannot be loaded' }
    ) {
        $copy = New-Copy
        [void] $copies.Add($copy)
        $file = Get-ChildItem (Join-Path $copy 'module/native') -Recurse -File | Where-Object Name -Match '^(lib)?pchat\.(so|dll)$'
        & $Do $file.FullName
        $checks = Test-Copy $copy
        $checks.Library.State | Should -Be 'failed'
        $checks.Library.Text | Should -Match $Says
        $checks.Shell.State | Should -Not -BeNullOrEmpty
    }
}
