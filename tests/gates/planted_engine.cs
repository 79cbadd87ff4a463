namespace System.Management.Automation
{
    /// <summary>Of PowerShell 5.0: the gate must not take it for one of 3.0.</summary>
    public class ArgumentCompleterAttribute : System.Attribute
    {
    }
}
