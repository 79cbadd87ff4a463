# The source in module/reference fixes names and constants into our assembly: each is compared with the real engine's.
BeforeDiscovery {
    $root = Split-Path -Parent (Split-Path -Parent (Split-Path -Parent $PSScriptRoot))
    $target = if ($env:CARGO_TARGET_DIR) { $env:CARGO_TARGET_DIR } else { Join-Path $root 'target' }
    $reference = Join-Path $target 'managed/reference/System.Management.Automation.dll'
    # Windows PowerShell has no load contexts, and its engine is the one that is compiled against.
    $comparable = $PSVersionTable.PSVersion.Major -ge 6
    $testing = 'Written', 'Errors', 'Lines', 'ProgressSeen', 'Run', 'Known', 'Carrier', 'ForTests'
    $types = @()
    if ($comparable -and (Test-Path $reference)) {
        $context = [Runtime.Loader.AssemblyLoadContext]::new('reference', $true)
        $bytes = [IO.MemoryStream]::new([IO.File]::ReadAllBytes($reference))
        $types = @($context.LoadFromStream($bytes).GetExportedTypes() | ForEach-Object { @{ Type = $_; FullName = $_.FullName; Testing = $testing } })
    }
}

BeforeAll {
    # Names of types, for ours and the engine's are different types.
    function Get-TypeName {
        param([type] $Type)
        if ($Type.IsGenericParameter) { return $Type.Name }
        if ($Type.HasElementType) { return (Get-TypeName $Type.GetElementType()) + '[]' }
        if (-not $Type.IsGenericType) { return $Type.FullName }
        $arguments = foreach ($argument in $Type.GetGenericArguments()) { Get-TypeName $argument }
        "$($Type.Namespace).$($Type.Name)<$($arguments -join ',')>"
    }

    function Get-Signature {
        param($Member)
        $list = { param($parameters) @(foreach ($one in $parameters) { Get-TypeName $one.ParameterType }) -join ', ' }
        switch ($Member.MemberType) {
            'Method' { "$(Get-TypeName $Member.ReturnType) $($Member.Name)($(& $list $Member.GetParameters()))" }
            'Property' { "$(Get-TypeName $Member.PropertyType) $($Member.Name)[$(& $list $Member.GetIndexParameters())]" }
            'Event' { "event $(Get-TypeName $Member.EventHandlerType) $($Member.Name)" }
        }
    }
}

Describe 'The reference assembly' {
    It 'is there to be compared: <Count> types' -Skip:(-not $comparable) -TestCases @{ Count = $types.Count } {
        $Count | Should -BeGreaterThan 30
    }
}

Describe 'Reference type <FullName>' -ForEach $types {
    BeforeAll {
        $real = [psobject].Assembly.GetType($FullName)
        $flags = [Reflection.BindingFlags] 'Public, NonPublic, Instance, Static, DeclaredOnly'
        $seen = [Reflection.BindingFlags] 'Public, NonPublic, Instance, Static'
    }

    It 'is a public type of the engine, of the same kind and base' {
        $real | Should -Not -BeNullOrEmpty
        $real.IsPublic | Should -BeTrue
        $real.IsValueType | Should -Be $Type.IsValueType
        if ($Type.BaseType -and $Type.BaseType.Namespace -like 'System.Management.Automation*') {
            $bases = for ($base = $real.BaseType; $base; $base = $base.BaseType) { $base.FullName }
            $bases | Should -Contain $Type.BaseType.FullName
        }
    }

    It 'has the same constants' {
        if ($Type.IsEnum) {
            foreach ($name in [Enum]::GetNames($Type)) {
                [int] [Enum]::Parse($real, $name) | Should -Be ([int] [Enum]::Parse($Type, $name)) -Because $name
            }
        } else {
            foreach ($field in $Type.GetFields($flags) | Where-Object IsLiteral) {
                $real.GetField($field.Name).GetRawConstantValue() | Should -Be $field.GetRawConstantValue() -Because $field.Name
            }
        }
    }

    It 'has members that the engine has too' -Skip:($FullName -match 'PSDataCollection|PSMemberInfoCollection') {
        $theirs = @($real.GetMembers($seen) | Where-Object MemberType -In 'Method', 'Property', 'Event' | ForEach-Object { Get-Signature $_ })
        $ours = $Type.GetMembers($flags) | Where-Object {
            $_.MemberType -in 'Method', 'Property', 'Event' -and $_.Name -notin $Testing -and $_.Name -notmatch '^(get|set|add|remove)_|\.' -and
            -not ($_.MemberType -eq 'Method' -and ($_.IsPrivate -or $_.IsAssembly)) -and -not ($_.MemberType -eq 'Property' -and -not $_.GetGetMethod())
        }
        foreach ($member in $ours) {
            $theirs | Should -Contain (Get-Signature $member)
        }
    }
}

Describe 'Our assembly' {
    It 'refers to nothing that the engine lacks: every method can be compiled' {
        Import-Module "$PSScriptRoot/../Suite.psm1" -DisableNameChecking
        Import-Product
        $assembly = (Get-Command Get-PChatRun).ImplementingType.Assembly
        $prepared = 0
        foreach ($type in $assembly.GetTypes()) {
            if ($type.ContainsGenericParameters -or $type.IsSubclassOf([MulticastDelegate])) { continue }
            foreach ($method in $type.GetMethods('Public, NonPublic, Instance, Static, DeclaredOnly') + $type.GetConstructors('Public, NonPublic, Instance')) {
                if ($method.IsAbstract -or $method.ContainsGenericParameters -or $method.Attributes.HasFlag([Reflection.MethodAttributes]::PinvokeImpl)) { continue }
                try {
                    [Runtime.CompilerServices.RuntimeHelpers]::PrepareMethod($method.MethodHandle)
                } catch {
                    throw "$($type.Name).$($method.Name): $_"
                }
                $prepared++
            }
        }
        $prepared | Should -BeGreaterThan 300
    }

    It 'refers to PowerShell 3.0, and to the framework alone' {
        $assembly = (Get-Command Get-PChatRun).ImplementingType.Assembly
        $references = $assembly.GetReferencedAssemblies()
        ($references | Where-Object Name -EQ 'System.Management.Automation').Version | Should -Be '3.0.0.0'
        $references.Name | Where-Object { $_ -notmatch '^(mscorlib|System(\.(Core|Xml|Runtime\.Serialization|Management\.Automation))?)$' } | Should -BeNullOrEmpty
        $key = -join (($references | Where-Object Name -EQ 'System.Management.Automation').GetPublicKeyToken() | ForEach-Object { $_.ToString('x2') })
        $key | Should -Be '31bf3856ad364e35'
    }
}
