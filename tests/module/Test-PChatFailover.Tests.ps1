BeforeAll {
    Import-Module "$PSScriptRoot/Suite.psm1" -DisableNameChecking
}

AfterAll { Remove-Module PChatLab.Lync -ErrorAction Ignore }

Describe 'Test-PChatFailover' {
    BeforeAll {
        $lab = Start-TestLab small -StandIn
        $parameters = Get-FailoverParameter $lab
    }

    AfterAll { Stop-TestLab $lab }

    It 'gives named checks with value and wanted value, none failed, and changes nothing' {
        $before = Get-LabEffect $lab
        $screen = Test-PChatFailover @parameters 6>&1
        $checks = @($screen | Where-Object { $_ -is [PersistentChatFailover.Documents.CheckResult] })
        $checks.Count | Should -BeGreaterThan 15
        $checks.Name | Should -Contain 'PrimaryIsDown'
        $checks.Name | Should -Contain 'LogChain'
        @($checks | Where-Object State -EQ 'failed') | Should -BeNullOrEmpty
        $checks | ForEach-Object { $_.Value | Should -Not -BeNullOrEmpty; $_.Wanted | Should -Not -BeNullOrEmpty }
        Get-LabEffect $lab | Should -Be $before
        $lab.JournalPath | Should -Not -Exist
    }

    It 'asks for the changing commands with -WhatIf, without a word on the screen' {
        $child = Invoke-Child '$p = Get-FailoverParameter $lab; Test-PChatFailover @p | ForEach-Object Name' -Lab $lab -StandIn
        $child.Output | Should -Match 'PrimaryIsDown'
        $child.Output | Should -Not -Match 'What if'
        @((Send-Lab $lab 'truth').native_calls | Where-Object { "$_" -match 'Set-Cs' -and "$_" -notmatch 'WhatIf|what_if' }) | Should -BeNullOrEmpty
    }

    It 'names what fails: too many active servers, and servers of no pool' {
        $wrong = $parameters.Clone()
        $wrong.ActiveServer = 'nobody.contoso.com'
        $check = Test-PChatFailover @wrong | Where-Object Name -EQ 'ActiveServers'
        $check.State | Should -Be 'failed'
        $check.Code | Should -Be 5011
        $check.Message | Should -Not -BeNullOrEmpty
    }
}

Describe 'Test-PChatFailover while the primary lives' {
    It 'fails PrimaryIsDown' {
        $alive = Start-TestLab primary-alive -StandIn
        try {
            $parameters = Get-FailoverParameter $alive
            $check = Test-PChatFailover @parameters | Where-Object Name -EQ 'PrimaryIsDown'
            $check.State | Should -Be 'failed'
            $check.Code | Should -Be 5002
        } finally {
            Stop-TestLab $alive
        }
    }
}
