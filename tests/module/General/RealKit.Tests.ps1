# The kit for real servers: what it tries is what its page says, and the part that needs no instance runs here.
BeforeAll {
    Import-Module "$PSScriptRoot/../Suite.psm1" -DisableNameChecking
    Import-Product
    $kit = Join-Path (Get-ProjectRoot) 'tests/real'
    $place = Join-Path ([IO.Path]::GetTempPath()) ('pchat-kit-' + [guid]::NewGuid().ToString('N'))
    New-Item -ItemType Directory $place | Out-Null
    $password = [guid]::NewGuid().ToString('N')
    $credential = New-Object pscredential 'kit', (ConvertTo-SecureString $password -AsPlainText -Force)

    # Runs the kit in the folder for its report, and gives what it said and the report.
    function Invoke-Kit {
        param([hashtable] $Parameters)
        Push-Location $place
        try {
            $said = & (Join-Path $kit 'Invoke-RealKit.ps1') @Parameters
            $file = Get-ChildItem $place -Filter 'pchat-kit-*.json'
            @{ Said = $said; Text = Get-Content -Raw $file.FullName }
            Remove-Item $file.FullName
        } finally {
            Pop-Location
        }
    }
}

AfterAll {
    Remove-Item -Recurse -Force $place
}

Describe 'The kit' {
    It 'tries every fact that its page tells, and tells every fact about an instance that it tries' {
        $script = Get-Content -Raw (Join-Path $kit 'Invoke-RealKit.ps1')
        $page = (Get-Content -Raw (Join-Path $kit 'README.md')) -split '## The facts'
        $told = [regex]::Matches($page[1], '(?m)^\| `(\w+)` \| [^|]+ \| [^|]+ \|$') | ForEach-Object { $_.Groups[1].Value }
        $tried = [regex]::Matches($script, 'Add-Fact [''"](\w+)[''"]') | ForEach-Object { $_.Groups[1].Value }
        $told.Count | Should -BeGreaterThan 10
        $told | ForEach-Object { $tried | Should -Contain $_ }
        $tried | Where-Object { $_ -notin 'ImportTwice', 'Windows', 'SqlLogin', 'HostAndPort', 'LogShippingIsRead', 'LogBackupsAreListed' } |
            ForEach-Object { $told | Should -Contain $_ }
    }

    It 'reports whether the module loads, without an instance, and holds no password' {
        $report = Invoke-Kit @{ Part = 'Load'; SqlCredential = $credential }
        $report.Said | Should -Match '^3 facts, 0 of them errors'
        $facts = ($report.Text | ConvertFrom-Json).facts
        ($facts | Where-Object name -EQ Installation).found | Should -Match '(?m)^passed Library'
        $report.Text | Should -Not -Match $password
    }

    It 'tells what went wrong as a fact with its id, and hides the name of the machine' {
        $report = Invoke-Kit @{ Part = 'Connect'; SqlInstance = 'pchat-kit-none.invalid,1433'; SqlCredential = $credential } 3>$null
        $fact = ($report.Text | ConvertFrom-Json).facts | Where-Object name -EQ UntrustedCertificate
        $fact.failed | Should -BeTrue
        $fact.found | Should -Match '^NameNotResolved|^ConnectionTimedOut'
        $report.Text | Should -Not -Match 'pchat-kit-none'
        $report.Text | Should -Not -Match $password
    }

    It 'makes nothing with -WhatIf' {
        $all = @{ Part = 'Failover'; SqlInstance = 'a.invalid'; SecondarySqlInstance = 'b.invalid'; Share = '\\fs1\kit'; CopyFolder = 'E:\Kit'; CopyFolderPath = $place }
        (Invoke-Kit ($all + @{ WhatIf = $true })).Said | Should -Match '^0 facts'
    }

    It 'says which parameter a part needs' {
        { Invoke-Kit @{ Part = 'Failover'; SqlInstance = 'a.invalid' } } | Should -Throw '*needs -SecondarySqlInstance*'
    }
}
