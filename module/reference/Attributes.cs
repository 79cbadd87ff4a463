using System;
using System.Management.Automation.Internal;

namespace System.Management.Automation.Internal
{
    public abstract class CmdletMetadataAttribute : Attribute
    {
    }

    public abstract class ParsingBaseAttribute : CmdletMetadataAttribute
    {
    }
}

namespace System.Management.Automation
{
    public abstract class CmdletCommonMetadataAttribute : CmdletMetadataAttribute
    {
        public string DefaultParameterSetName { get; set; }

        public bool SupportsShouldProcess { get; set; }

        public ConfirmImpact ConfirmImpact { get; set; }

        public string HelpUri { get; set; }
    }

    [AttributeUsage(AttributeTargets.Class)]
    public sealed class CmdletAttribute : CmdletCommonMetadataAttribute
    {
        public CmdletAttribute(string verbName, string nounName)
        {
            VerbName = verbName;
            NounName = nounName;
        }

        public string VerbName { get; private set; }

        public string NounName { get; private set; }
    }

    public enum ConfirmImpact
    {
        None,
        Low,
        Medium,
        High,
    }

    [AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
    public sealed class OutputTypeAttribute : CmdletMetadataAttribute
    {
        public OutputTypeAttribute(params Type[] type)
        {
        }
    }

    [AttributeUsage(AttributeTargets.Property | AttributeTargets.Field, AllowMultiple = true)]
    public sealed class ParameterAttribute : ParsingBaseAttribute
    {
        public const string AllParameterSets = "__AllParameterSets";

        public ParameterAttribute()
        {
            Position = int.MinValue;
            ParameterSetName = AllParameterSets;
        }

        public int Position { get; set; }

        public string ParameterSetName { get; set; }

        public bool Mandatory { get; set; }

        public bool ValueFromPipeline { get; set; }

        public bool ValueFromPipelineByPropertyName { get; set; }

        public bool ValueFromRemainingArguments { get; set; }

        public string HelpMessage { get; set; }
    }

    [AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
    public sealed class AliasAttribute : ParsingBaseAttribute
    {
        public AliasAttribute(params string[] aliasNames)
        {
            AliasNames = aliasNames;
        }

        public System.Collections.Generic.IList<string> AliasNames { get; private set; }
    }

    [AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
    public abstract class ValidateArgumentsAttribute : CmdletMetadataAttribute
    {
    }

    [AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
    public abstract class ValidateEnumeratedArgumentsAttribute : ValidateArgumentsAttribute
    {
    }

    public sealed class ValidateSetAttribute : ValidateEnumeratedArgumentsAttribute
    {
        public ValidateSetAttribute(params string[] validValues)
        {
            ValidValues = validValues;
        }

        public System.Collections.Generic.IList<string> ValidValues { get; private set; }
    }

    public sealed class ValidateRangeAttribute : ValidateEnumeratedArgumentsAttribute
    {
        public ValidateRangeAttribute(object minRange, object maxRange)
        {
            MinRange = minRange;
            MaxRange = maxRange;
        }

        public object MinRange { get; private set; }

        public object MaxRange { get; private set; }
    }

    [AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
    public sealed class ValidateCountAttribute : ValidateArgumentsAttribute
    {
        public ValidateCountAttribute(int minLength, int maxLength)
        {
            MinLength = minLength;
            MaxLength = maxLength;
        }

        public int MinLength { get; private set; }

        public int MaxLength { get; private set; }
    }

    public sealed class ValidateNotNullOrEmptyAttribute : ValidateArgumentsAttribute
    {
    }

    [AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
    public sealed class AllowEmptyCollectionAttribute : CmdletMetadataAttribute
    {
    }

    [AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
    public sealed class AllowNullAttribute : CmdletMetadataAttribute
    {
    }

    [AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
    public abstract class ArgumentTransformationAttribute : CmdletMetadataAttribute
    {
        public abstract object Transform(EngineIntrinsics engineIntrinsics, object inputData);
    }

    public sealed class CredentialAttribute : ArgumentTransformationAttribute
    {
        public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
        {
            return inputData;
        }
    }

    public class EngineIntrinsics
    {
    }

    public static class LanguagePrimitives
    {
        public static bool IsTrue(object obj)
        {
            return obj is SwitchParameter ? ((SwitchParameter)obj).IsPresent : obj is bool && (bool)obj;
        }
    }

    public static class VerbsCommon
    {
        public const string Get = "Get";
        public const string New = "New";
        public const string Copy = "Copy";
        public const string Remove = "Remove";
        public const string Undo = "Undo";
    }

    public static class VerbsData
    {
        public const string Backup = "Backup";
        public const string Restore = "Restore";
        public const string Save = "Save";
    }

    public static class VerbsLifecycle
    {
        public const string Disable = "Disable";
        public const string Invoke = "Invoke";
        public const string Resume = "Resume";
        public const string Start = "Start";
        public const string Stop = "Stop";
        public const string Wait = "Wait";
    }

    public static class VerbsDiagnostic
    {
        public const string Test = "Test";
    }
}
