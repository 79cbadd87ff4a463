BeforeDiscovery {
    Import-Module "$PSScriptRoot/../Suite.psm1" -DisableNameChecking
    Import-Product
    $assembly = (Get-Command Get-PChatRun).ImplementingType.Assembly
    $types = $assembly.GetExportedTypes() | Where-Object Namespace -EQ 'PersistentChatFailover.Documents' | ForEach-Object { @{ Type = $_ } }
}

Describe 'Views of <Type>' -ForEach $types {
    BeforeAll {
        [xml] $format = Get-Content -Raw (Join-Path (Get-ProjectRoot) 'module/PersistentChatFailover.Format.ps1xml')
        $views = @($format.Configuration.ViewDefinitions.View | Where-Object { $_.ViewSelectedBy.TypeName -eq $Type.FullName })
    }

    It 'are a table and a list' {
        @($views | Where-Object { $_['TableControl'] }).Count | Should -Be 1
        @($views | Where-Object { $_['ListControl'] }).Count | Should -Be 1
    }

    It 'name properties that exist' {
        $names = $Type.GetProperties().Name
        $views.SelectNodes('.//PropertyName') | ForEach-Object { $names | Should -Contain $_.InnerText }
        $views.SelectNodes('.//ScriptBlock') | ForEach-Object {
            if (-not $_.SelectSingleNode('ancestor::CustomControl')) {
                [regex]::Matches($_.InnerText, '(?<![\w)])\$_\.(\w+)') | Select-Object -First 1 | ForEach-Object { $names | Should -Contain $_.Groups[1].Value }
            }
        }
    }

    It 'say UTC with every time' {
        foreach ($item in $views.SelectNodes('.//ListItem | .//CustomItem')) {
            if ($item.InnerXml -match "ToString\('yyyy") { $item.InnerXml | Should -Match 'UTC' }
        }
    }

    It 'set LSNs to the right' {
        foreach ($table in $views | Where-Object { $_['TableControl'] }) {
            $headers = @($table.TableControl.TableHeaders.TableColumnHeader)
            for ($i = 0; $i -lt $headers.Count; $i++) {
                if ($headers[$i]['Label'] -and $headers[$i].Label -like '*Lsn') { $headers[$i].Alignment | Should -Be 'Right' }
            }
        }
    }

    It 'leave no column cut off at 80 columns' {
        foreach ($table in $views | Where-Object { $_['TableControl'] }) {
            $room = 81
            foreach ($header in $table.TableControl.TableHeaders.TableColumnHeader) {
                # A column without a width takes what is left, and the rest goes.
                if (-not $header['Width']) { break }
                $room -= [int] $header.Width + 1
                if ($room -lt 0) {
                    $left = $room + [int] $header.Width
                    $left | Should -BeLessThan 1 -Because "$($table.Name) would squeeze a column into $left"
                    break
                }
            }
        }
    }
}

Describe 'What identifies an object' {
    It 'is whole on 80 columns: <Name>' -ForEach @(
        @{ Name = 'RunSummary'; Property = 'RunId'; Value = '20260314T021500Z-ba442fcd' }
        @{ Name = 'LogBackup'; Property = 'Name'; Value = 'mgc_20260314021500.trn' }
        @{ Name = 'PlannedFile'; Property = 'Name'; Value = 'mgc_20260314021500.trn' }
    ) {
        $object = [pscustomobject] @{ PSTypeName = "PersistentChatFailover.Documents.$Name"; $Property = $Value }
        $object | Format-Table | Out-String -Width 80 | Should -Match ([regex]::Escape($Value))
    }
}
