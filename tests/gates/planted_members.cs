using System.Management.Automation;

/// <summary>Uses what .NET Framework 4.5 and PowerShell 3.0 lack; mono's compiler takes it all the same.</summary>
public class Planted
{
    [ArgumentCompleter]
    public string[] Words(string text)
    {
        return text == null ? System.Array.Empty<string>() : text.Split('.');
    }
}
