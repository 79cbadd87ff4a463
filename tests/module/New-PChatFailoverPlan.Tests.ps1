BeforeAll {
    Import-Module "$PSScriptRoot/Suite.psm1" -DisableNameChecking
    $lab = Start-TestLab small -StandIn
    $parameters = Get-FailoverParameter $lab
    $plan = New-PChatFailoverPlan @parameters
    $text = $plan | Out-String -Width 400
}

AfterAll {
    Stop-TestLab $lab
    Remove-Module PChatLab.Lync -ErrorAction Ignore
}

Describe 'New-PChatFailoverPlan' {
    It 'makes a plan that can be run, and changes nothing' {
        $before = Get-LabEffect $lab
        $again = New-PChatFailoverPlan @parameters
        $again.CanRun | Should -BeTrue
        $again.Digest | Should -Be $plan.Digest
        $again.PlanId | Should -Not -BeNullOrEmpty
        Get-LabEffect $lab | Should -Be $before
        $lab.JournalPath | Should -Not -Exist
    }

    It 'prints every statement, every file with its LSN range, every native command, loss and time' {
        $plan.Steps.Statements.Count | Should -BeGreaterThan 5
        foreach ($statement in $plan.Steps.Statements + $plan.Steps.NativeCommands) {
            foreach ($line in $statement -split "`n") { $text | Should -BeLike "*$([wildcardpattern]::Escape($line.Trim()))*" }
        }
        $files = @($plan.Steps.Files)
        $files.Count | Should -Be 2
        foreach ($file in $files) {
            $text | Should -Match ([regex]::Escape($file.Name) + ', LSN ' + $file.FirstLsn + ' to ' + $file.LastLsn)
        }
        $text | Should -Match 'WITH RECOVERY'
        $text | Should -Match 'Set-CsPersistentChatState'
        $text | Should -BeLike "*Loss: $([wildcardpattern]::Escape($plan.Loss.Text))*"
    }

    It 'puts the failed checks first' {
        $wrong = $parameters.Clone()
        $wrong.ActiveServer = 'nobody.contoso.com'
        $bad = New-PChatFailoverPlan @wrong
        $bad.CanRun | Should -BeFalse
        $shown = $bad | Out-String -Width 400
        $shown | Should -Match 'CANNOT be run'
        $shown.IndexOf('failed ') | Should -BeLessThan $shown.IndexOf('passed ')
    }

    It 'names the module of each native command' {
        $plan.Steps.NativeCommands | ForEach-Object { $_ | Should -BeLike 'PChatLab.Lync\*' }
    }

    It 'has a document in ASCII that is read again as the same plan' {
        $plan.Document | Should -Not -Match '[^\x00-\x7f]'
        ($plan.Document | ConvertFrom-Json).digest | Should -Be $plan.Digest
    }
}
