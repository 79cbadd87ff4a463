BeforeAll {
    Import-Module "$PSScriptRoot/Suite.psm1" -DisableNameChecking
    $lab = Start-TestLab small
    $connection = $lab.Connection
}

AfterAll { Stop-TestLab $lab }

Describe 'Get-PChatLogShipping' {
    It 'reads record, state, redo point and jobs, and changes nothing' {
        $before = Get-LabEffect $lab
        $r = Get-PChatLogShipping 'B\RTC' -PoolFqdn pchat.contoso.com @connection
        $r.SqlInstance | Should -Be 'B\RTC'
        $r.Database | Should -Be 'mgc'
        $r.PoolFqdn | Should -Be 'pchat.contoso.com'
        $r.Source | Should -Be 'record'
        $r.DatabaseState | Should -Be 'restoring'
        $r.RedoPointLsn | Should -BeOfType ([decimal])
        $r.CopyJob.IsEnabled | Should -BeTrue
        $r.LastRestoredAtUtc.Kind | Should -Be 'Utc'
        Get-LabEffect $lab | Should -Be $before
    }

    It 'takes names by value and objects by property name' {
        ('B\RTC' | Get-PChatLogShipping @connection).SqlInstance | Should -Be 'B\RTC'
        ([pscustomobject] @{ SqlInstance = 'B\RTC'; Database = 'mgc'; PoolFqdn = 'x' } | Get-PChatLogShipping @connection).PoolFqdn | Should -Be 'x'
        $again = Get-PChatLogShipping 'B\RTC' -PoolFqdn p1 @connection | Get-PChatLogShipping @connection
        $again.SqlInstance | Should -Be 'B\RTC'
        $again.PoolFqdn | Should -Be 'p1'
    }

    It 'never takes the text of an object for an instance' {
        { Get-Item / | Get-PChatLogShipping @connection -ErrorAction Stop } | Should -Throw '*is no instance name and has no SqlInstance*'
        { Get-PChatLogShipping -SqlInstance @{ a = 1 } @connection -ErrorAction Stop } | Should -Throw '*is no instance name*'
    }

    It 'goes on to the next instance when one fails' {
        $r = Get-PChatLogShipping 'no-such-host.invalid', 'B\RTC' @connection -ErrorVariable failed -ErrorAction SilentlyContinue
        $r.SqlInstance | Should -Be 'B\RTC'
        @($failed).Count | Should -Be 1
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'NameNotResolved,*'
    }

    It 'tells a refused login with SQL Server''s number, and no password' {
        $wrong = $connection.Clone()
        $wrong.SqlCredential = New-Object pscredential 'sa', (ConvertTo-SecureString 'Wrong-9271' -AsPlainText -Force)
        $lines = Get-PChatLogShipping 'B\RTC' @wrong -Verbose -Debug -ErrorVariable failed -ErrorAction SilentlyContinue 4>&1 5>&1
        $e = $failed[0]
        $e.FullyQualifiedErrorId | Should -BeLike 'LoginFailed,*'
        $e.CategoryInfo.Category | Should -Be 'AuthenticationError'
        $e.Exception.Code | Should -Be 2005
        $e.Exception.SqlNumber | Should -Be 18456
        $e.ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
        ($lines, ($e | Out-String), ($e | Format-List * -Force | Out-String), $e.Exception.ToString()) -join ' ' | Should -Not -Match 'Wrong-9271'
    }

    It 'refuses a certificate that is not trusted, and names the parameter to add' {
        $strict = $connection.Clone()
        $strict.Remove('TrustServerCertificate')
        Get-PChatLogShipping 'B\RTC' @strict -ErrorVariable failed -ErrorAction SilentlyContinue
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'CertificateNotTrusted,*'
        $failed[0].ErrorDetails.RecommendedAction | Should -Match 'TrustServerCertificate'
    }

    It 'takes odd names as data' {
        $before = Get-LabEffect $lab
        foreach ($name in "mgc]; DROP DATABASE mgc --", "a'b", "x`ny", ('x' * 1MB)) {
            Get-PChatLogShipping 'B\RTC' -Database $name @connection -ErrorVariable failed -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
            $failed[0].Exception.Code | Should -BeGreaterThan 1000
            $failed[0].Exception.Code | Should -BeLessThan 9000
        }
        Get-LabEffect $lab | Should -Be $before
    }

    It 'finds no log shipping on an instance that has none' {
        $r = Get-PChatLogShipping 'BM\RTC' @connection -ErrorVariable failed -ErrorAction SilentlyContinue
        if ($r) { $r.Source | Should -Be 'none' } else { $failed[0].Exception.Code | Should -BeIn 3003, 4001 }
    }
}
