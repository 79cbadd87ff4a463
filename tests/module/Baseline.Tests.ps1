BeforeAll {
    Import-Module "$PSScriptRoot/Suite.psm1" -DisableNameChecking
}

Describe 'Save-PChatBaseline and Get-PChatBaseline' {
    BeforeAll {
        $lab = Start-TestLab healthy -StandIn
        $target = Get-TargetParameter $lab
        $folder = Join-Path ([IO.Path]::GetTempPath()) ('pchat-baseline-' + [guid]::NewGuid().ToString('N'))
    }

    AfterAll {
        Stop-TestLab $lab
        Remove-Item -LiteralPath $folder -Recurse -Force -ErrorAction Ignore
    }

    It '-WhatIf writes nothing' {
        Save-PChatBaseline @target -Path $folder -WhatIf | Should -BeNullOrEmpty
        $folder | Should -Not -Exist
    }

    It 'reads all four instances and the pool' {
        $script:first = Save-PChatBaseline @target -Path $folder -ErrorAction Stop
        $first.GetType().FullName | Should -Be 'PersistentChatFailover.Documents.Baseline'
        $first.IsComplete | Should -BeTrue -Because (($first.Unread | Out-String))
        $first.PrimarySqlInstance | Should -Be 'P\RTC'
        $first.PrimaryMirrorSqlInstance | Should -Match '^pm'
        $first.ActiveServers | Should -Be @('s1.contoso.com', 's2.contoso.com')
        $first.Path | Should -Exist
        $first.SavedAtUtc.Kind | Should -Be 'Utc'
    }

    It 'shows no drift where nothing has changed' {
        $second = Save-PChatBaseline @target -Path $folder
        $second.ReferencePath | Should -Be $first.Path
        $second.Drift | Should -BeNullOrEmpty
    }

    It 'shows what has changed, also between two files' {
        Remove-PChatLogShipping @target -JournalPath $lab.JournalPath -NoJournalCopy -Force | Out-Null
        $third = Save-PChatBaseline @target -Path $folder
        $third.Drift.Part | Should -Contain 'log_shipping_secondary'
        $read = Get-PChatBaseline $folder -ReferencePath $first.Path
        $read.Path | Should -Be $third.Path
        $read.Drift.Count | Should -Be $third.Drift.Count
        @($first | Get-PChatBaseline).Path | Should -Be $first.Path
        @(Get-PChatBaseline $folder -All).Count | Should -Be 3
    }

    It 'a folder without one is an error with its code' {
        Get-PChatBaseline (Join-Path $folder 'none') -ErrorVariable failed -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $failed[0].FullyQualifiedErrorId | Should -Match 'BaselineNotFound'
    }
}
