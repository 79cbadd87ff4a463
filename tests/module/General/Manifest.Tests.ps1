BeforeAll {
    Import-Module "$PSScriptRoot/../Suite.psm1" -DisableNameChecking
    Import-Product
    $root = Get-ProjectRoot
    $path = Join-Path $root 'PersistentChatFailover.psd1'
    $manifest = Import-PowerShellDataFile $path
    $text = Get-Content -Raw $path
}

Describe 'The manifest' {
    It 'is one that the shell accepts' {
        Test-ModuleManifest $path | Should -Not -BeNullOrEmpty
    }

    It 'has the version of Cargo.toml' {
        $cargo = Get-Content -Raw (Join-Path $root 'Cargo.toml')
        $cargo -match '(?m)^version = "([0-9.]+)"' | Should -BeTrue
        $manifest.ModuleVersion | Should -Be $Matches[1]
        (Get-Command Get-PChatRun).ImplementingType.Assembly.GetName().Version.ToString(3) | Should -Be $Matches[1]
    }

    It 'asks for PowerShell 3.0, .NET Framework 4.5 and x64, and names no editions' {
        $manifest.PowerShellVersion | Should -Be '3.0'
        $manifest.DotNetFrameworkVersion | Should -Be '4.5'
        $manifest.CLRVersion | Should -Be '4.0'
        $manifest.ProcessorArchitecture | Should -Be 'Amd64'
        $manifest.ContainsKey('CompatiblePSEditions') | Should -BeFalse
        [guid] $manifest.GUID | Should -Not -Be ([guid]::Empty)
    }

    It 'lists its exports one by one, in single quotes' {
        $manifest.CmdletsToExport | Should -Not -Contain '*'
        foreach ($name in $manifest.CmdletsToExport) {
            $text | Should -Match "(?m)^\s+'$name',?$"
        }
        $text | Should -Not -Match '"'
        @($manifest.FunctionsToExport).Count | Should -Be 0
        @($manifest.AliasesToExport).Count | Should -Be 0
        @($manifest.VariablesToExport).Count | Should -Be 0
    }

    It 'exports every cmdlet that the assembly has, and nothing else' {
        $assembly = (Get-Command Get-PChatRun).ImplementingType.Assembly
        $have = foreach ($type in $assembly.GetExportedTypes()) {
            $attribute = @($type.GetCustomAttributes([System.Management.Automation.CmdletAttribute], $false))
            if ($attribute.Count) { "$($attribute[0].VerbName)-$($attribute[0].NounName)" }
        }
        ($have | Sort-Object) -join ' ' | Should -Be (($manifest.CmdletsToExport | Sort-Object) -join ' ')
        (Get-Command -Module PersistentChatFailover).Count | Should -Be $manifest.CmdletsToExport.Count
    }

    It 'refers to files that are there' {
        Join-Path $root $manifest.RootModule | Should -Exist
        @($manifest.FormatsToProcess) + @($manifest.TypesToProcess) | ForEach-Object { Join-Path $root $_ | Should -Exist }
    }

    It 'imports from a folder of another name, by the path of the psd1' {
        $copy = Join-Path ([IO.Path]::GetTempPath()) ('pchat-clone-' + [guid]::NewGuid().ToString('N'))
        try {
            New-Item -ItemType Directory (Join-Path $copy 'module') | Out-Null
            Copy-Item $path $copy
            Copy-Item (Join-Path $root 'module/PersistentChatFailover.dll'), (Join-Path $root 'module/PersistentChatFailover.Format.ps1xml'), (Join-Path $root 'module/PersistentChatFailover.Types.ps1xml') (Join-Path $copy 'module')
            $child = Invoke-Child -Bare "Import-Module '$copy/PersistentChatFailover.psd1' -ErrorAction Stop; Get-PChatRun; `$Error[0].FullyQualifiedErrorId"
            # Without the native library: one plain sentence, and the shell lives on.
            $child.Output | Should -Match 'LibraryMismatch'
            $child.Output | Should -Match 'native library is missing'
        } finally {
            Remove-Item -Recurse -Force $copy
        }
    }
}
